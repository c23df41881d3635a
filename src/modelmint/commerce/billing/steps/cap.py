"""Usage of a billing period costs at most the plan's cap; what is more is taken off again.

Keys of ``InvoiceLine.data``: ``month``, ``cap``, ``usage`` (of the whole period so far, as text), ``before`` (how
much of it is on earlier invoices), ``late``.
"""

from __future__ import annotations

from modelmint.commerce.billing.work import Rated, Work, late_periods, rated
from modelmint.commerce.rating.rate import period_name
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.kit.money import Money
from modelmint.kit.period import Period

KIND = "cap"


def step(work: Work) -> Work:
    """A line for each billing period whose usage goes beyond the cap."""
    cap = work.plan.cap
    if cap is None:
        return work
    periods = [work.inputs.period, *late_periods(work.inputs)]
    found = [_line(work, cap, period) for period in periods]
    return work.add([line for line in found if line.amount.minor])


def capped(work: Work, period: Period) -> Rated:
    """Usage of ``period`` before and after this invoice, as far as it is charged."""
    found, cap = rated(work, period.start), work.plan.cap
    if cap is None:
        return found
    return Rated(
        work.money(min(found.before.minor, cap.minor)),
        work.money(min(found.after.minor, cap.minor)),
    )


def _line(work: Work, cap: Money, period: Period) -> InvoiceLine:
    usage, charged = rated(work, period.start), capped(work, period)
    amount = (charged.after - charged.before) - (usage.after - usage.before)
    month = period_name(period.start)
    said = f"usage of {month} comes to {usage.after}; at most {cap} is charged"
    said += f"; {charged.before} is billed already" if usage.before.minor else ""
    return InvoiceLine(
        description=f"{work.plan.title}: usage above {cap}, {month}",
        meter=None,
        quantity=1,
        unit_price=None,
        amount=amount,
        explanation=said,
        kind=KIND,
        data={
            "month": month,
            "cap": str(cap),
            "usage": str(usage.after),
            "before": str(charged.before),
            "late": period != work.inputs.period,
        },
    )
