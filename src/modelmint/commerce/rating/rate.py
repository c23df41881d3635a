"""A plan's charges applied to the usage of its billing periods, each by its price model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from modelmint.commerce.metering.types import Cell, Distinct
from modelmint.commerce.rating import graduated, package, per_unit, percentage, recount
from modelmint.commerce.rating.select import counted
from modelmint.commerce.rating.share import WHOLE, Share, has_bounds, shared
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.rating.usage import Usage, UsageModel
from modelmint.commerce.types import Charge, Plan
from modelmint.kit.money import Money

#: Price models by the ``kind`` of a charge; a new one is one file and one line here.
MODELS: dict[str, UsageModel] = {
    per_unit.KIND: per_unit.lines,
    graduated.KIND: graduated.lines,
    package.KIND: package.lines,
    percentage.KIND: percentage.lines,
}


#: By the first moment of a billing period: for which share of it units were included on earlier invoices, and are now.
Shares = Callable[[datetime], tuple[Share, Share]]


def _whole(_: datetime) -> tuple[Share, Share]:
    return WHOLE, WHOLE


def usage_lines(
    plan: Plan,
    cells: Sequence[Cell],
    distinct: Sequence[Distinct],
    period: datetime,
    shares: Shares = _whole,
) -> list[InvoiceLine]:
    """The lines for what is new in ``cells`` and ``distinct``, given what was before.

    ``period`` is the first moment of the billing period being billed; usage of other periods came late and
    stands after it, oldest period first. For every cut of a period into parts, the parts' amounts sum to the
    period's: tiers, packages and included units go on where the part before stopped, and rounding is done on
    the running total (see ``usage.priced``). Where the share of a period changes between two parts, what was
    billed is counted anew (``recount``), so that this holds there, too.
    """
    if plan.currency is None:
        return []
    found = counted(plan.charges, cells, distinct)
    lines = []
    for part in sorted(found, key=lambda part: part.period != period):
        month = period_name(part.period)
        earlier, share = shares(part.period) if has_bounds(part.charge) else (WHOLE, WHOLE)
        usage = Usage(plan.title, plan.currency, month, part.before, part.new, part.period != period, share)
        charge = shared(part.charge, share)
        if earlier != share and part.before:
            amounts = _cost(shared(part.charge, earlier), usage), _cost(charge, usage)
            lines += recount.lines(charge, usage, earlier, amounts)
        lines += MODELS[charge.kind](charge, usage)
    return lines


def _cost(charge: Charge, usage: Usage) -> Money:
    """What the units on earlier invoices come to by ``charge``."""
    billed = replace(usage, before=Decimal(0), new=usage.before)
    found = (line.amount for line in MODELS[charge.kind](charge, billed))
    return sum(found, Money(0, usage.currency))


def period_name(start: datetime) -> str:
    """A billing period by its first moment: ``2026-11``, or ``2026-11-15`` where it begins on another day."""
    return f"{start:%Y-%m}" if start.day == 1 else f"{start:%Y-%m-%d}"
