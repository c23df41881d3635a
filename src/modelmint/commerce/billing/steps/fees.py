"""The monthly fee, in arrears: the share of the billing period in which the plan was held and not paused.

Keys of ``InvoiceLine.data``: ``month`` (name of the billing period), ``held_us``, ``before_us``, ``whole_us``
(microseconds held in this part, in earlier parts, and of the whole billing period), ``fee`` (as text).
"""

from __future__ import annotations

from decimal import Decimal

from modelmint.commerce.billing.periods import length
from modelmint.commerce.billing.prorate import held_share, held_within
from modelmint.commerce.billing.work import Work
from modelmint.commerce.moments import days_text
from modelmint.commerce.rating.rate import period_name
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.kit.money import Money, UnitPrice

KIND = "flat_monthly"


def step(work: Work) -> Work:
    """One line; none for a plan without a fee, or where it was not held."""
    fee, inputs = work.plan.monthly, work.inputs
    if fee is None:
        return work
    held = held_within(inputs.held, inputs.part.start, inputs.part.end)
    amount = held_share(fee, inputs.held, inputs.period, inputs.part)
    if held == 0 or amount.minor == 0:
        return work
    before = held_within(inputs.held, inputs.period.start, inputs.part.start)
    return work.add([_line(work, fee, amount, (before, held))])


def share_of(held: int, whole: int) -> Decimal:
    """A share of time for the eye, in millionths; amounts are worked out from the exact one."""
    return Decimal((2 * held * 1_000_000 + whole) // (2 * whole)).scaleb(-6)


def _line(work: Work, fee: Money, amount: Money, spans: tuple[int, int]) -> InvoiceLine:
    before, held = spans
    month, whole = period_name(work.inputs.period.start), length(work.inputs.period)
    if held == whole:
        said = f"the monthly fee for {month}: 1 x {fee}"
    else:
        said = f"the monthly fee for {month}: {days_text(held)} of {days_text(whole)} x {fee} = {amount}"
        said += f"; {days_text(before)} are billed already" if before else ""
    return InvoiceLine(
        description=f"{work.plan.title}, {month}",
        meter=None,
        quantity=1 if held == whole else share_of(held, whole),
        unit_price=UnitPrice(fee.amount, fee.currency),
        amount=amount,
        explanation=said,
        kind=KIND,
        data={"month": month, "held_us": held, "before_us": before, "whole_us": whole, "fee": str(fee)},
    )
