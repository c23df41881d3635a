"""What the next call would add to a bill: each unit at the price of the tier in which it falls, not rounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from modelmint.commerce.metering.types import Cell, Quantities, UsageRow
from modelmint.commerce.rating.rate import usage_lines
from modelmint.commerce.rating.share import WHOLE, Share
from modelmint.commerce.types import Plan
from modelmint.kit.money import UnitPrice


@dataclass(frozen=True, slots=True)
class Fed:
    """What one call feeds its meters with."""

    model: str
    variant: str
    state: str
    #: Meter -> quantity.
    quantities: Mapping[str, Decimal]


def price_of(
    plan: Plan, fed: Fed, used: Sequence[UsageRow], period: datetime, share: Share = WHOLE
) -> UnitPrice | None:
    """The usage price of the call after ``used`` in the billing period that begins at ``period``.

    ``used`` is cut by model, variant and state. None where the plan has no currency and so never costs anything. A
    package is paid by the call that begins it. Fees, minimum, cap, tax and prepaid credit are not in it.
    """
    if plan.currency is None:
        return None
    cells = [
        Cell(period, row.meter, row.model, row.variant, row.state, Quantities(row.n, row.quantity), Quantities())
        for row in used
    ]
    cells += [
        Cell(period, meter, fed.model, fed.variant, fed.state, Quantities(), Quantities(1, quantity))
        for meter, quantity in fed.quantities.items()
    ]
    total = Decimal(0)
    for line in usage_lines(plan, cells, (), period, lambda _: (share, share)):
        if line.unit_price is not None:
            total += line.unit_price.amount * Decimal(line.quantity)
    return UnitPrice(total, plan.currency)
