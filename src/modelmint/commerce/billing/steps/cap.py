"""Usage of a billing period costs at most the plan's cap; what is more is taken off again.

Where the plan's quantities are for the time held (``prorate_included``), the cap is, too.

Keys of ``InvoiceLine.data``: ``month``, ``cap``, ``usage`` (of the whole period so far, as text), ``before`` (how
much of it is on earlier invoices), ``late``; ``full`` where the cap is for a share of the period.
"""

from __future__ import annotations

from modelmint.commerce.billing.prorate import prorate
from modelmint.commerce.billing.work import Rated, Work, late_periods, rated, shares_of
from modelmint.commerce.rating.rate import period_name
from modelmint.commerce.rating.share import Share
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
    earlier, share = shares_of(work)(period.start)
    return Rated(
        work.money(min(found.before.minor, _shared(cap, earlier).minor)),
        work.money(min(found.after.minor, _shared(cap, share).minor)),
    )


def _shared(cap: Money, share: Share) -> Money:
    """Rounded like the minimum, so that it never falls below it."""
    return prorate(cap, share.whole, 0, share.held)


def _line(work: Work, cap: Money, period: Period) -> InvoiceLine:
    usage, charged = rated(work, period.start), capped(work, period)
    amount = (charged.after - charged.before) - (usage.after - usage.before)
    full, cap = cap, _shared(cap, shares_of(work)(period.start)[1])
    month = period_name(period.start)
    said = f"usage of {month} comes to {usage.after}; at most {cap} is charged"
    said += f" ({full} for a whole period)" if cap != full else ""
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
            **({} if cap == full else {"full": str(full)}),
            "usage": str(usage.after),
            "before": str(charged.before),
            "late": period != work.inputs.period,
        },
    )
