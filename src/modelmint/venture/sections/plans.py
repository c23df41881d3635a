"""``[plans.NAME]``: what is on sale."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from modelmint.kit.money import EXPONENTS
from modelmint.venture.sections.base import (
    MOST_UNITS,
    Amount,
    Complaint,
    Exact,
    Moment,
    Percent,
    Price,
    Section,
    refuse_if_any,
)
from modelmint.venture.sections.charges import ChargeSection, reach_complaints


class PromiseSection(Section):
    """``[plans.NAME.promise]``: what a period holds to, and the share given back where it did not."""

    p99_ms: Exact | None = None
    availability: Percent | None = None
    credit: Percent

    @model_validator(mode="after")
    def _makes_sense(self) -> PromiseSection:
        refuse_if_any(self._complaints())
        return self

    def _complaints(self) -> Iterator[Complaint]:
        if self.p99_ms is None and self.availability is None:
            message = "a promise needs p99_ms or availability"
            yield Complaint((), message, needs=(("p99_ms",), ("availability",)))
        for key in ("availability", "credit"):
            if getattr(self, key) == 0:
                yield Complaint(
                    (key,), f"a promise of 0 % {'holds always' if key == 'availability' else 'gives nothing'}"
                )


class PlanSection(Section):
    """A plan: a trial (``free_calls``, ``days``), pay per use, or with a fee, charges, a commitment, a promise."""

    title: str = ""
    #: Where no price says it: a plan of percentages alone.
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    free_calls: int | None = Field(None, ge=0, le=MOST_UNITS)
    days: int | None = Field(None, ge=1, le=36_500)
    per_call: Price | None = None
    monthly: Amount | None = None
    #: In advance, by years from the day on which the plan was taken.
    yearly: Amount | None = None
    included_calls: int | None = Field(None, ge=0, le=MOST_UNITS)
    overage: Price | None = None
    #: A period comes to at least ``minimum``, its usage to at most ``cap``.
    minimum: Amount | None = None
    cap: Amount | None = None
    #: Whether included units, tiers and cap shrink with the fee where the plan is held for a part of a period; None:
    #: where there is a fee or a minimum, because those are shared by the time held.
    prorate_included: bool | None = None
    #: Calls are admitted only while credit covers them.
    prepaid: bool = False
    charges: list[ChargeSection] = []
    promise: PromiseSection | None = None
    #: Calls a period may hold at most; more are refused with 402.
    max_calls: int | None = Field(None, ge=1, le=MOST_UNITS)
    calls_per_minute: int | None = Field(None, ge=1, le=MOST_UNITS)
    #: On sale from then on; the version before it stays on sale until then.
    effective: Moment | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> PlanSection:
        rules = (self._complaints, self._currency_complaints, self._trial_complaints, self._commitment_complaints)
        more = (self._prepaid_complaints(), reach_complaints(self.charges), self._end_complaints())
        refuse_if_any(chain(*(rule() for rule in rules), *more))
        return self

    def _trial_complaints(self) -> Iterator[Complaint]:
        if self.sold_in is None:
            return
        for key in ("free_calls", "days"):
            if getattr(self, key) is not None:
                message = "free_calls and days make a trial, which has no price; "
                yield Complaint((key,), message + "use included_calls and overage for free calls each month")

    def _complaints(self) -> Iterator[Complaint]:
        fee = self.monthly is not None or self.yearly is not None
        if self.per_call is not None and (fee or self.included_calls is not None):
            message = "per_call is for pay-per-use plans; a monthly plan uses included_calls and overage"
            yield Complaint(("per_call",), message)
        short = [key for key in ("per_call", "included_calls", "overage") if getattr(self, key) is not None]
        for place, charge in enumerate(self.charges):
            if short and charge.meter == "calls":
                message = f"{short[0]} prices calls already; give {short[0]} or a charge over calls"
                yield Complaint(
                    ("charges", place), message, needs=(*((key,) for key in short), ("charges", place, "meter"))
                )
        if self.overage is not None and self.included_calls is None:
            message = "overage is the price beyond included_calls; give included_calls too"
            yield Complaint(("overage",), message, needs=(("included_calls",),))
        if not self._is_priced and self.free_calls is None:
            keys = ("per_call", "monthly", "yearly", "minimum", "overage", "charges", "free_calls")
            message = "a plan needs a price (per_call, monthly, yearly, minimum or charges) or free_calls"
            yield Complaint((), message, needs=tuple((key,) for key in keys))
        if self.promise is not None and not self._is_priced:
            yield Complaint(("promise",), "a promise gives back a share of what was paid; this plan has no price")

    def _currency_complaints(self) -> Iterator[Complaint]:
        if self.currency is not None and self.currency not in EXPONENTS:
            known = ", ".join(sorted(EXPONENTS))
            yield Complaint(("currency",), f"unknown currency {self.currency!r}; known: {known}")
        found = sorted(set(self._currencies()))
        if len(found) > 1:
            yield Complaint((), f"a plan has one currency, found {', '.join(found)}")
        if not found and self.charges:
            message = 'a plan of percentages alone says its currency, like currency = "USD"'
            yield Complaint(("charges",), message, needs=(("currency",),))

    def _commitment_complaints(self) -> Iterator[Complaint]:
        if self.cap is not None:
            if self.per_call is None and self.overage is None and not self.charges:
                message = "cap is the most that usage may cost; nothing here is charged by use"
                yield Complaint(("cap",), message, needs=(("per_call",), ("overage",), ("charges",)))
            least = self.minimum
            if least is not None and self.cap.currency == least.currency and self.cap.minor < least.minor:
                yield Complaint(("cap",), f"cap lies below minimum: expected at least {least}, found {self.cap}")

    def _prepaid_complaints(self) -> Iterator[Complaint]:
        if not self.prepaid:
            return
        for key in ("monthly", "yearly", "minimum", "cap", "included_calls", "max_calls"):
            if getattr(self, key) is not None:
                message = f"{key} does not go with prepaid: the credit is the limit, each call takes its price from it"
                yield Complaint((key,), message)
        if self.per_call is None and not self.charges:
            message = "prepaid needs a price for each call: per_call, or charges with price over calls"
            yield Complaint(("prepaid",), message, needs=(("per_call",), ("charges",)))
        prices = [self.per_call, *(charge.price for charge in self.charges)]
        if not any(price.amount for price in prices if price is not None):
            yield Complaint(("prepaid",), "a prepaid plan without a price takes nothing from the credit")
        for place, charge in enumerate(self.charges):
            plain = (charge.meter, charge.priced_as, charge.aggregate, charge.included) == (
                "calls",
                "per_unit",
                "sum",
                0,
            )
            if not plain:
                message = "a prepaid plan charges calls at a price each (price, no tiers, package, percent or included)"
                yield Complaint(("charges", place), message)

    def _end_complaints(self) -> Iterator[Complaint]:
        """A last tier that ends stops all calls; it can when it counts all of them."""
        over_calls = [charge for charge in self.charges if charge.meter == "calls"]
        for place, charge in enumerate(self.charges):
            if charge in over_calls and len(over_calls) > 1 and charge.tiers and charge.tiers[-1].up_to is not None:
                message = "the last tier ends, and the plan with it, only where one charge counts all calls"
                yield Complaint(("charges", place, "tiers", len(charge.tiers) - 1, "up_to"), message)

    def _currencies(self) -> Iterator[str]:
        if self.currency is not None:
            yield self.currency
        for price in (self.per_call, self.monthly, self.yearly, self.overage, self.minimum, self.cap):
            if price is not None:
                yield price.currency
        for charge in self.charges:
            if charge.currency is not None:
                yield charge.currency

    @property
    def shares_included(self) -> bool:
        """Whether what a billing period includes is for the time held."""
        if self.prorate_included is not None:
            return self.prorate_included
        return any(amount is not None for amount in (self.monthly, self.yearly, self.minimum))

    @property
    def _is_priced(self) -> bool:
        prices = (self.per_call, self.monthly, self.yearly, self.overage, self.minimum)
        return bool(self.charges) or any(price is not None for price in prices)

    @property
    def sold_in(self) -> str | None:
        """The plan's currency; None for a plan without a price."""
        return next(self._currencies(), None)
