"""A billing period comes to at least the plan's minimum, for the share of it in which the plan was held.

Fees (of a yearly one the period's share) and usage count. What is missing is added on the part that ends the
period; usage that comes late is taken out of what was added, unless that was forgiven: then it was never owed. Keys
of ``InvoiceLine.data``: ``month``, ``minimum`` (for the share held), ``full`` (for the whole period), ``reached``
(fees and usage), ``late``; all amounts as text.
"""

from __future__ import annotations

from modelmint.commerce.billing.prorate import held_share
from modelmint.commerce.billing.steps.cap import capped
from modelmint.commerce.billing.steps.yearly import yearly_share
from modelmint.commerce.billing.work import Work, late_periods
from modelmint.commerce.rating.rate import period_name
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.kit.money import Money
from modelmint.kit.period import Period

KIND = "minimum"


def step(work: Work) -> Work:
    """What is missing at the end of the period; less of what was added, where usage came late."""
    full, inputs = work.plan.minimum, work.inputs
    if full is None:
        return work
    late = [period for period in late_periods(inputs) if period.start not in inputs.forgiven]
    periods = ([inputs.period] if inputs.last else []) + late
    found = [_line(work, full, period) for period in periods]
    return work.add([line for line in found if line.amount.minor])


def fees_of(work: Work, period: Period) -> Money:
    """Fees for the time held in the whole of ``period``."""
    total, inputs = work.money(0), work.inputs
    if work.plan.monthly is not None:
        total = total + held_share(work.plan.monthly, inputs.held, period, period)
    if work.plan.yearly is not None:
        total = total + yearly_share(work.plan.yearly, inputs.held, inputs.since, period)
    return total


def _line(work: Work, full: Money, period: Period) -> InvoiceLine:
    fees, usage = fees_of(work, period), capped(work, period)
    wanted = held_share(full, work.inputs.held, period, period)
    late = period != work.inputs.period
    added = max((wanted - fees - usage.before).minor, 0) if late else 0
    amount = work.money(max((wanted - fees - usage.after).minor, 0) - added)
    month, reached = period_name(period.start), fees + usage.after
    said = f"fees and usage of {month} come to {reached}; at least {wanted} is agreed"
    said += f" ({full} for a whole period)" if wanted != full else ""
    said += "; added before, taken off for usage that came late" if late else ""
    return InvoiceLine(
        description=f"{work.plan.title}: minimum of {wanted}, {month}",
        meter=None,
        quantity=1,
        unit_price=None,
        amount=amount,
        explanation=said,
        kind=KIND,
        data={"month": month, "minimum": str(wanted), "full": str(full), "reached": str(reached), "late": late},
    )
