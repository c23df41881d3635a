"""``[plans.NAME]``: what is on sale."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Literal

from pydantic import Field, model_validator

from modelmint.venture.sections.base import Amount, Complaint, Price, Section, refuse_if_any


class TierSection(Section):
    """Units up to ``up_to`` (None: all the rest) at ``price`` each."""

    up_to: int | None = Field(None, ge=1)
    price: Price


class ChargeSection(Section):
    """``[[plans.NAME.charges]]``: graduated tiers over one meter."""

    meter: Literal["calls", "items"] = "calls"
    tiers: list[TierSection] = Field(min_length=1)

    @model_validator(mode="after")
    def _rising(self) -> ChargeSection:
        refuse_if_any(self._complaints())
        return self

    def _complaints(self) -> Iterator[Complaint]:
        bounds = [tier.up_to for tier in self.tiers]
        for place, bound in enumerate(bounds[:-1]):
            if bound is None:
                yield Complaint(("tiers", place), "needs up_to; only the last tier may go without")
        known = [bound for bound in bounds if bound is not None]
        if known != sorted(set(known)):
            yield Complaint(("tiers",), f"up_to must rise from tier to tier, found {', '.join(map(str, known))}")
        if len({tier.price.currency for tier in self.tiers}) > 1:
            yield Complaint(("tiers",), "the tiers of one charge share one currency")
        if self.meter != "calls" and bounds[-1] is not None:
            # Calls can stop with the last tier, because they are counted before they are answered.
            message = f"the last tier of meter {self.meter!r} ends at {bounds[-1]}; leave out its up_to, so that every "
            yield Complaint(("tiers", len(bounds) - 1, "up_to"), message + "unit has a price")


class PlanSection(Section):
    """A plan: a trial (``free_calls``, ``days``), pay per use, or monthly with included calls and overage."""

    title: str = ""
    free_calls: int | None = Field(None, ge=0)
    days: int | None = Field(None, ge=1)
    per_call: Price | None = None
    monthly: Amount | None = None
    included_calls: int | None = Field(None, ge=0)
    overage: Price | None = None
    charges: list[ChargeSection] = []
    #: Calls a period may hold at most; more are refused with 402.
    max_calls: int | None = Field(None, ge=1)
    calls_per_minute: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _makes_sense(self) -> PlanSection:
        refuse_if_any(chain(self._complaints(), self._trial_complaints(), self._meter_complaints()))
        return self

    def _trial_complaints(self) -> Iterator[Complaint]:
        if self.currency is None:
            return
        for key in ("free_calls", "days"):
            if getattr(self, key) is not None:
                message = "free_calls and days make a trial, which has no price; "
                yield Complaint((key,), message + "use included_calls and overage for free calls each month")

    def _meter_complaints(self) -> Iterator[Complaint]:
        meters = [charge.meter for charge in self.charges]
        for place, meter in enumerate(meters):
            first = meters.index(meter)
            if first < place:
                needs = tuple(("charges", one, "meter") for one in (first, place))
                message = f"a second charge over meter {meter!r}; put its tiers into the first one"
                yield Complaint(("charges", place), message, needs=needs)

    def _complaints(self) -> Iterator[Complaint]:
        prices = (self.per_call, self.monthly, self.overage, *(c.tiers[0].price for c in self.charges))
        currencies = sorted({price.currency for price in prices if price is not None})
        if len(currencies) > 1:
            yield Complaint((), f"a plan has one currency, found {', '.join(currencies)}")
        if self.per_call is not None and (self.monthly is not None or self.included_calls is not None):
            message = "per_call is for pay-per-use plans; a monthly plan uses included_calls and overage"
            yield Complaint(("per_call",), message)
        if self.charges and (self.per_call is not None or self.overage is not None or self.included_calls is not None):
            message = "charges replaces per_call, included_calls and overage; give one or the other"
            yield Complaint(("charges",), message)
        if self.overage is not None and self.included_calls is None:
            message = "overage is the price beyond included_calls; give included_calls too"
            yield Complaint(("overage",), message, needs=(("included_calls",),))
        if not currencies and self.free_calls is None:
            message = "a plan needs a price (per_call, monthly or charges) or free_calls"
            needs = tuple((key,) for key in ("per_call", "monthly", "overage", "charges", "free_calls"))
            yield Complaint((), message, needs=needs)

    @property
    def currency(self) -> str | None:
        """The plan's currency; None for a plan without a price."""
        for price in (self.per_call, self.monthly, self.overage):
            if price is not None:
                return price.currency
        return self.charges[0].tiers[0].price.currency if self.charges else None
