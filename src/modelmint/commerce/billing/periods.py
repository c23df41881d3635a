"""Which part of time is billed, and the invoice that comes of it. Pure: usage in, invoice out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.errors import PeriodNotOver
from modelmint.commerce.metering.types import MeterTotals
from modelmint.commerce.rating.rate import rate
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.types import Customer, Plan, Subscription
from modelmint.kit.money import Money
from modelmint.kit.period import Period, month_of


def end_of(period: Period, now: datetime, *, until_now: bool) -> datetime:
    """Where a closing of ``period`` ends; raises ``PeriodNotOver`` when that lies ahead, or the whole period does.

    Until now means everything booked so far, what was booked in this very microsecond included; whatever is
    booked later is booked at or after the end.
    """
    if period.end <= now:
        return period.end
    if period.start > now:
        raise PeriodNotOver(
            f"this period begins at {period.start:%Y-%m-%dT%H:%M:%SZ}, it is {now:%Y-%m-%dT%H:%M:%SZ}; "
            "nothing can be closed before it begins"
        )
    if until_now:
        return min(now + timedelta(microseconds=1), period.end)
    raise PeriodNotOver(
        f"this period ends at {period.end:%Y-%m-%dT%H:%M:%SZ}, it is {now:%Y-%m-%dT%H:%M:%SZ}; "
        "wait, or ask for the invoice until now"
    )


def by_month(period: Period) -> Iterator[Period]:
    """``period`` cut where calendar months (UTC) begin; prices, fees and tiers count by month."""
    start = period.start
    while start < period.end:
        end = min(month_of(start).end, period.end)
        yield Period(start, end)
        start = end


def fee_due(subscription: Subscription, part: Period) -> bool:
    """Whether the fee of the month falls into ``part`` of it.

    It is due once a month, at the first moment of the month at which the plan is held; exactly one part of
    the month holds that moment. A plan given up the moment it was taken owes nothing.
    """
    first = max(subscription.starts_at, month_of(part.start).start)
    held = subscription.ends_at is None or subscription.ends_at > first
    return held and first in part


def draft_invoice(
    customer: Customer,
    subscription: Subscription,
    plan: Plan,
    part: Period,
    totals: Sequence[MeterTotals],
    *,
    notice: str,
    now: datetime,
) -> Invoice | None:
    """The invoice of ``subscription`` for ``part`` (inside one month), not numbered yet.

    ``totals`` are this subscription's, of the month and of closed months whose usage came late. None where
    there is nothing to put on it, or the plan has no price.
    """
    if plan.currency is None:
        return None
    month = month_of(part.start).start
    here = [entry for entry in totals if entry.month == month] or [MeterTotals(subscription.id, month, {}, {})]
    lines: list[InvoiceLine] = []
    for entry in here:
        lines += rate(plan, entry, fee_due=fee_due(subscription, part))
    for entry in sorted((e for e in totals if e.month != month), key=lambda e: e.month):
        lines += rate(plan, entry, fee_due=False, late=True)
    if not lines:
        return None
    return Invoice(
        id="",
        number=0,
        customer=customer.id,
        customer_name=customer.name,
        period=part,
        currency=plan.currency,
        lines=tuple(lines),
        subtotal=total_of(lines, plan.currency),
        tax=Money(0, plan.currency),
        total=total_of(lines, plan.currency),
        burns=(),
        credit=Money(0, plan.currency),
        due=total_of(lines, plan.currency),
        tax_rate=Decimal(0),
        subscription=subscription.id,
        plan=plan.name,
        plan_version=plan.version,
        notice=notice,
        finalised_at=now,
    )


def total_of(lines: Sequence[InvoiceLine], currency: str) -> Money:
    """The sum of the lines; raises ``BadMoney`` where one has another currency."""
    total = Money(0, currency)
    for line in lines:
        total = total + line.amount
    return total
