"""The form of *What will I earn*: what the venture states to begin with, what the reader typed over it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from modelmint.bootstrap import Shop
from modelmint.commerce.catalog import for_sale
from modelmint.commerce.types import Plan
from modelmint.console.errors import BadForm
from modelmint.kit.money import UnitPrice, exponent
from modelmint.market.earnings import Scenario
from modelmint.market.pricing import at_prices
from modelmint.venture.sections.money import CostsSection, DemandSection, MachineSection

#: Of a plan's field: ``mix.payg``.
MIX = "mix."
#: Which model; every form that was sent has it.
SENT = "what"
#: Calls that are in no plan.
UNSOLD = "unsold"


@dataclass(frozen=True, slots=True)
class Dial:
    """A number to type, with a slider beside it. ``text`` is what stands in it; empty: not stated."""

    name: str
    text: str
    #: The most and the finest that can be typed.
    most: str
    step: str
    #: Ends and step of the slider; with ``log`` they are powers of ten.
    low: str
    high: str
    slide: str
    log: bool = False
    #: The unit that stands beside it: a currency, or a key of the words.
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """Everything the page asks, filled in."""

    dials: tuple[Dial, ...]
    #: Title of a plan, empty for the calls in none.
    mix: tuple[tuple[str, Dial], ...]


class EarnForm:
    """One reader's form: ``query`` over what the venture states."""

    def __init__(self, shop: Shop, query: Mapping[str, str]) -> None:
        self._query = query
        self._file = shop.venture.file if shop.venture else None
        self._plans = tuple(shop.books.plans())
        self._problems: list[str] = []
        # One venture, one currency: the books see to it.
        sold = (plan.currency for plan in self._plans if plan.currency)
        self.currency = next(sold, None) or (self._file.currency if self._file else None) or _UNPRICED

    def form(self) -> Form:
        """The fields with what stands in them now."""
        return Form(self._dials(), self._mix())

    def scenario(self, models: int) -> Scenario:
        """What the fields suppose, for one of ``models`` models. Raises ``BadForm`` with every problem."""
        machine = self._price("machine")
        costs: dict[str, Any] = {
            "wrong_answer": self._price("wrong"),
            "review_per_abstention": self._price("review"),
            "storage_per_call": self._price("storage"),
            "payment_fee": self._share("fee"),
        }
        prices = self._share("prices")
        peak, calls, each = self._number("peak"), self._number("calls"), self._number("each")
        weights = {plan.name: self._number(MIX + plan.name) or Decimal(0) for plan in self._plans}
        unsold = self._number(UNSOLD) or Decimal(0)
        if peak is not None and peak < 1:
            self._problems.append(f"expected 'peak' as a number from 1 to {_MOST['peak']}, found '{peak}'")
        if self._problems:
            raise BadForm("some of what was typed cannot be valued", problems=self._problems)
        return Scenario(
            plans=tuple(at_prices(plan, Decimal(1) if prices is None else prices) for plan in self._plans),
            weights=weights,
            unsold=unsold,
            calls=None if calls is None else int(calls),
            peak_to_mean=float(peak or 1),
            calls_per_customer=int(each) if each else None,
            # What is left empty is not stated, and the figures say so.
            costs=CostsSection(**{name: cost for name, cost in costs.items() if cost is not None}),
            machine=MachineSection(price_per_hour=machine, **self._machine_name()),
            currency=self.currency,
            share=Decimal(1) / models,
        )

    def titles(self) -> dict[str, str]:
        """Plan -> its title."""
        return {plan.name: plan.title for plan in self._plans}

    def _dials(self) -> tuple[Dial, ...]:
        coins = 0 if exponent(self.currency) == 0 else -2
        hourly, dear = _slider(Decimal(2), coins), _slider(Decimal(1), coins)
        fine = ("0", str(Decimal("0.001").scaleb(coins + 2)), str(Decimal("0.00001").scaleb(coins + 2)))
        return (
            Dial("calls", self._text("calls"), _MOST["calls"], "1", "2", "8", "0.02", log=True, unit="earn.a_month"),
            Dial("peak", self._text("peak"), _MOST["peak"], "any", "1", "20", "0.5", unit="earn.times"),
            Dial("prices", self._text("prices"), _MOST["prices"], "any", "10", "300", "5", unit="%"),
            Dial("machine", self._text("machine"), _MOST["machine"], "any", *hourly, unit=self.currency),
            Dial("fee", self._text("fee"), _MOST["fee"], "any", "0", "10", "0.1", unit="%"),
            Dial("wrong", self._text("wrong"), _MOST["wrong"], "any", *dear, unit=self.currency),
            Dial("review", self._text("review"), _MOST["review"], "any", *dear, unit=self.currency),
            Dial("storage", self._text("storage"), _MOST["storage"], "any", *fine, unit=self.currency),
            Dial("each", self._text("each"), _MOST["each"], "1", "1", "6", "0.05", log=True, unit="earn.a_month"),
        )

    def _mix(self) -> tuple[tuple[str, Dial], ...]:
        rows = [*((plan.title, MIX + plan.name) for plan in self._plans), ("", UNSOLD)]
        return tuple(
            (title, Dial(name, self._text(name), "100", "any", "0", "100", "1", unit="%")) for title, name in rows
        )

    def _machine_name(self) -> dict[str, str]:
        return {} if self._file is None else {"name": self._file.machine.name}

    def _text(self, name: str) -> str:
        """What stands in a field: typed, else stated."""
        if name in self._query:
            return self._query[name].strip()[:40]
        # A form that was sent says of every field that it is empty by leaving it out.
        return "" if SENT in self._query else self._stated.get(name, "")

    @cached_property
    def _stated(self) -> dict[str, str]:
        """What the venture says, field by field; money in the currency of the plans."""
        found = {"peak": "4", "prices": "100", **_shares(self._plans, None)}
        if self._file is None:
            return found
        demand, costs = self._file.demand, self._file.costs
        prices = {
            "machine": self._file.machine.price_per_hour,
            "wrong": costs.wrong_answer,
            "review": costs.review_per_abstention,
            "storage": costs.storage_per_call,
        }
        own = {name: price for name, price in prices.items() if price is not None}
        found |= {name: f"{price.amount:f}" for name, price in own.items() if price.currency == self.currency}
        if "payment_fee" in costs.model_fields_set:
            found["fee"] = _plain(costs.payment_fee * 100)
        if demand is not None:
            found |= {"calls": str(demand.calls_per_month), "peak": f"{demand.peak_to_mean:g}"}
            found |= {} if demand.calls_per_customer is None else {"each": str(demand.calls_per_customer)}
            found |= _shares(self._plans, demand)
        return found

    def _price(self, name: str) -> UnitPrice | None:
        amount = self._number(name)
        return None if amount is None else UnitPrice(amount, self.currency)

    def _share(self, name: str) -> Decimal | None:
        """What is typed in percent."""
        number = self._number(name)
        return None if number is None else number.scaleb(-2)

    def _number(self, name: str) -> Decimal | None:
        """None where nothing is typed; what cannot be read is noted and None."""
        text = self._text(name)
        if not text:
            return None
        most, whole = _MOST.get(name, "100"), name in _WHOLE
        form = r"[0-9]{1,18}" if whole else r"[0-9]{1,18}(\.[0-9]{1,12})?"
        if re.fullmatch(form, text) and Decimal(text) <= Decimal(most):
            return Decimal(text)
        kind = "whole number" if whole else "number"
        name = name.removeprefix(MIX)
        self._problems.append(f"expected {name!r} as a {kind} from 0 to {most}, found {text!r}")
        return None


#: Of the fields for money where nothing has a price yet.
_UNPRICED = "USD"
_WHOLE = ("calls", "each")
#: The most that can be typed.
_MOST = {
    "calls": str(10**12), "peak": "1000", "prices": "10000", "machine": str(10**6), "fee": "100",
    "wrong": str(10**6), "review": str(10**6), "storage": str(10**6), "each": str(10**12),
}  # fmt: skip


def _shares(plans: tuple[Plan, ...], demand: DemandSection | None) -> dict[str, str]:
    """Percent of all calls by field: the venture's mix, else the same for every plan that costs something."""
    mix = {} if demand is None else {name: Decimal(repr(share)) for name, share in demand.plan_mix.items()}
    if mix:
        shares = {MIX + plan.name: mix.get(plan.name, Decimal(0)) * 100 for plan in plans}
        shares[UNSOLD] = max(Decimal(0), 100 - sum(mix.values(), Decimal(0)) * 100)
        return {name: _plain(share) for name, share in shares.items()}
    paid = [plan.name for plan in for_sale(plans)]
    each = _plain((Decimal(100) / max(1, len(paid))).quantize(Decimal("0.01")))
    return {MIX + plan.name: each if plan.name in paid else "0" for plan in plans} | {UNSOLD: "0"}


def _plain(number: Decimal) -> str:
    """Without zeros that say nothing."""
    return f"{number.normalize():f}"


def _slider(high: Decimal, coins: int) -> tuple[str, str, str]:
    """Ends and step of a slider of money, in a currency with coins of ``10 ** coins``."""
    scale = coins + 2
    return "0", _plain(high.scaleb(scale)), _plain(Decimal("0.01").scaleb(scale))
