"""A plan's charges applied to the usage of its billing periods, each by its price model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from modelmint.commerce.metering.types import Cell, Distinct
from modelmint.commerce.rating import graduated, package, per_unit, percentage
from modelmint.commerce.rating.select import counted
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.rating.usage import Usage, UsageModel
from modelmint.commerce.types import Plan

#: Price models by the ``kind`` of a charge; a new one is one file and one line here.
MODELS: dict[str, UsageModel] = {
    per_unit.KIND: per_unit.lines,
    graduated.KIND: graduated.lines,
    package.KIND: package.lines,
    percentage.KIND: percentage.lines,
}


def usage_lines(plan: Plan, cells: Sequence[Cell], distinct: Sequence[Distinct], period: datetime) -> list[InvoiceLine]:
    """The lines for what is new in ``cells`` and ``distinct``, given what was before.

    ``period`` is the first moment of the billing period being billed; usage of other periods came late and
    stands after it, oldest period first. For every cut of a period into parts, the parts' amounts sum to the
    period's: tiers, packages and included units go on where the part before stopped, and rounding is done on
    the running total (see ``usage.priced``).
    """
    if plan.currency is None:
        return []
    found = counted(plan.charges, cells, distinct)
    lines = []
    for part in sorted(found, key=lambda part: part.period != period):
        month = period_name(part.period)
        usage = Usage(plan.title, plan.currency, month, part.before, part.new, late=part.period != period)
        lines += MODELS[part.charge.kind](part.charge, usage)
    return lines


def period_name(start: datetime) -> str:
    """A billing period by its first moment: ``2026-11``, or ``2026-11-15`` where it begins on another day."""
    return f"{start:%Y-%m}" if start.day == 1 else f"{start:%Y-%m-%d}"
