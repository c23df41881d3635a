"""An invoice while it is being made: what the steps are handed and hand on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from modelmint.commerce.billing.periods import length
from modelmint.commerce.billing.prorate import counted_until
from modelmint.commerce.billing.types import BillingInputs
from modelmint.commerce.metering.types import Quantities
from modelmint.commerce.rating.rate import Shares, usage_lines
from modelmint.commerce.rating.share import WHOLE, Share
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.types import Plan
from modelmint.kit.money import Money
from modelmint.kit.period import Period, billing_period


@dataclass(frozen=True, slots=True)
class Work:
    """What is known of an invoice after some of the steps."""

    inputs: BillingInputs
    plan: Plan
    currency: str
    lines: tuple[InvoiceLine, ...] = ()
    tax: Money | None = None
    #: (grant id, amount) in the order of burning.
    burns: tuple[tuple[str, Money], ...] = ()

    def add(self, lines: Sequence[InvoiceLine]) -> Work:
        """With further lines."""
        return replace(self, lines=(*self.lines, *lines))

    def money(self, minor: int) -> Money:
        """In the plan's currency."""
        return Money(minor, self.currency)

    @property
    def subtotal(self) -> Money:
        """The lines so far."""
        return total_of(self.lines, self.currency)

    @property
    def total(self) -> Money:
        """With tax, once it is known."""
        return self.subtotal + (self.tax or self.money(0))


#: One step of billing: pure, in the order of ``steps.STEPS``.
Step = Callable[[Work], Work]


@dataclass(frozen=True, slots=True)
class Rated:
    """Usage of one billing period in money: on earlier invoices, and with what is new."""

    before: Money
    after: Money


def rated(work: Work, period: datetime) -> Rated:
    """Usage of the billing period that begins at ``period``, before and after this invoice, without any cap.

    What earlier invoices hold is found anew from the quantities on them: nothing but the inputs is needed.
    """
    cells = [cell for cell in work.inputs.cells if cell.period == period]
    values = [value for value in work.inputs.distinct if value.period == period]
    earlier = [replace(cell, before=Quantities(), new=cell.before) for cell in cells]
    earlier_values = [replace(value, before=0, new=value.before) for value in values]
    shares = shares_of(work)
    before_share, _ = shares(period)
    before_lines = usage_lines(work.plan, earlier, earlier_values, period, lambda _: (before_share, before_share))
    before = total_of(before_lines, work.currency)
    return Rated(before, before + total_of(usage_lines(work.plan, cells, values, period, shares), work.currency))


def shares_of(work: Work) -> Shares:
    """For which share of a billing period its quantities count: on earlier invoices, and with this one."""
    inputs = work.inputs

    def shares(start: datetime) -> tuple[Share, Share]:
        if not work.plan.prorate_included:
            return WHOLE, WHOLE
        period = billing_period(start, inputs.anchor)
        late = period.start != inputs.period.start
        now = Share(counted_until(inputs.held, period, period.end if late else inputs.part.end), length(period))
        if late or inputs.part.start <= period.start:
            return now, now
        return Share(counted_until(inputs.held, period, inputs.part.start), now.whole), now

    return shares


def late_periods(inputs: BillingInputs) -> list[Period]:
    """The billing periods closed before, of which usage came late; oldest first."""
    seen = {cell.period for cell in inputs.cells} | {value.period for value in inputs.distinct}
    return [billing_period(start, inputs.anchor) for start in sorted(seen) if start != inputs.period.start]


def total_of(lines: Sequence[InvoiceLine], currency: str) -> Money:
    """The sum of the lines; raises ``BadMoney`` where one has another currency."""
    total = Money(0, currency)
    for line in lines:
        total = total + line.amount
    return total
