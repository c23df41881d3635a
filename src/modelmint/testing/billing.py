"""Billing inputs without books: for tests of invoices, and of whatever prints or replays them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from modelmint.commerce.billing.draft import build
from modelmint.commerce.billing.types import BillingInputs, GrantBalance, Held, Invoice, Kept
from modelmint.commerce.metering.types import Cell, Distinct, Quantities
from modelmint.commerce.types import Plan
from modelmint.kit.money import Money
from modelmint.kit.period import Period, billing_period
from modelmint.testing.books import some_plans

NOVEMBER = billing_period(datetime(2026, 11, 5, tzinfo=UTC))


def a_plan(**table: Any) -> Plan:
    """A plan called ``clinic`` from a table as it stands in ``venture.toml``."""
    (plan,) = some_plans({"clinic": {"title": "Clinic", **table}})
    return plan


def a_cell(
    meter: str,
    new: int | str | Decimal,
    before: int | str | Decimal = 0,
    period: datetime = NOVEMBER.start,
    **more: Any,
) -> Cell:
    """Usage of a meter: sums, counted as so many events where they are whole; ``more`` names model, variant, state."""
    told = {"model": "reader", "variant": "int8", "state": "ok", **more}
    return Cell(period, meter, before=_quantities(before), new=_quantities(new), **told)


def _quantities(value: int | str | Decimal) -> Quantities:
    exact = Decimal(value)
    return Quantities(int(exact), exact, exact)


def a_grant(name: str, text_minor: int, currency: str = "USD", **more: Any) -> GrantBalance:
    """Credit of so many minor units that is left."""
    told = {"priority": 10, "expires_at": None, "granted_at": NOVEMBER.start, **more}
    return GrantBalance(name, Money(text_minor, currency), **told)


@dataclass(frozen=True)
class Case:
    """What an invoice is made of, in a form that can be cut into parts."""

    plan: Plan
    cells: tuple[Cell, ...] = ()
    distinct: tuple[Distinct, ...] = ()
    held: tuple[Held, ...] = (Held(NOVEMBER.start, None),)
    part: Period = NOVEMBER
    anchor: int = 1
    grants: tuple[GrantBalance, ...] = ()
    tax_rate: Decimal = Decimal(0)
    kept: Kept | None = None

    def inputs(self) -> BillingInputs:
        """As the books would gather them."""
        period = billing_period(self.part.start, self.anchor)
        return BillingInputs(
            id="inv_1",
            number=1,
            finalised_at=self.part.end,
            customer="cus_1",
            subscription="sub_1",
            plan=self.plan.name,
            plan_version=self.plan.version,
            anchor=self.anchor,
            part=self.part,
            period=period,
            since=min(span.start for span in self.held),
            held=self.held,
            last=self.part.end == period.end,
            cells=self.cells,
            distinct=self.distinct,
            grants=self.grants,
            tax_rate=self.tax_rate,
            tax_name="VAT" if self.tax_rate else "",
            notice="not for clinical use",
            kept=self.kept,
            releases=(),
        )

    def invoice(self) -> Invoice | None:
        """The invoice of the part."""
        return build(self.inputs(), self.plan)


def in_parts(
    case: Case,
    cuts: Sequence[datetime],
    shares: Sequence[Mapping[int, Quantities]],
    held: Callable[[datetime], tuple[Held, ...]] | None = None,
) -> list[Invoice]:
    """The invoices of ``case``'s part cut at ``cuts``: of cell i, ``shares[part][i]`` falls to each part.

    Quantities before a part are the sums of what fell to the parts before it, as the books read them back. ``held``:
    what is known to be held when a closing ends then; else what ``case`` holds is known from the first.
    """
    edges = [case.part.start, *cuts, case.part.end]
    before = [Quantities() for _ in case.cells]
    found = []
    for position, (start, end) in enumerate(pairwise(edges)):
        new = [shares[position].get(i, Quantities()) for i in range(len(case.cells))]
        cells = tuple(
            replace(cell, before=old, new=fresh) for cell, old, fresh in zip(case.cells, before, new, strict=True)
        )
        known = case.held if held is None else held(end)
        invoice = replace(case, part=Period(start, end), cells=cells, held=known).invoice()
        found += [] if invoice is None else [invoice]
        before = [_add(old, fresh) for old, fresh in zip(before, new, strict=True)]
    return found


def _add(one: Quantities, other: Quantities) -> Quantities:
    return Quantities(one.n + other.n, one.sum + other.sum, max(one.largest, other.largest), one.amount + other.amount)
