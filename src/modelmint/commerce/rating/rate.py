"""A plan applied to a month: the fee if it is due, then each charge by its price model."""

from __future__ import annotations

from modelmint.commerce.metering.types import MeterTotals
from modelmint.commerce.rating import flat, graduated, per_unit
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.rating.usage import Usage, UsageModel
from modelmint.commerce.types import Charge, Plan

#: Usage price models by name; a new one is one file and one line here.
MODELS: dict[str, UsageModel] = {
    per_unit.KIND: per_unit.lines,
    graduated.KIND: graduated.lines,
}


def model_of(charge: Charge) -> str:
    """The name of the model that prices ``charge``."""
    return per_unit.KIND if len(charge.tiers) == 1 and charge.tiers[0].up_to is None else graduated.KIND


def rate(plan: Plan, totals: MeterTotals, *, fee_due: bool, late: bool = False) -> list[InvoiceLine]:
    """The lines for ``totals.new``, given ``totals.before``.

    For every cut of a month into parts, the parts' amounts sum to the month's: tiers go on where the part
    before stopped, and rounding is done on the running total (see ``usage.priced``).
    """
    found = flat.lines(plan, totals.month) if fee_due else []
    for charge in plan.charges:
        usage = Usage(
            title=plan.title,
            month=totals.month,
            before=totals.before.get(charge.meter, 0),
            new=totals.new.get(charge.meter, 0),
            late=late,
        )
        found += MODELS[model_of(charge)](charge, usage)
    return found
