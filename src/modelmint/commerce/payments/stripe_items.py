"""Our invoice as Stripe's invoice items."""

from __future__ import annotations

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.payments.amounts import charged_minor
from modelmint.commerce.payments.errors import AmountNotChargeable

#: Items that one Stripe invoice may hold.
MOST = 250


def items_of(invoice: Invoice, amount: int) -> list[tuple[str, int]]:
    """(description, minor units): line by line where that sums to ``amount``, else the amount in one.

    It does not where a part was paid or credited meanwhile, nor where a line has no amount that cards can be charged.
    """
    whole = [(f"Invoice {invoice.number}", amount)]
    wanted = [(line.explanation, line.amount) for line in invoice.lines]
    wanted += [(f"Tax ({invoice.tax_name or 'tax'})", invoice.tax), ("Prepaid credit", -invoice.credit)]
    try:
        items = [(description, charged_minor(money)) for description, money in wanted if money.minor]
    except AmountNotChargeable:
        return whole
    if len(items) > MOST or sum(minor for _, minor in items) != amount:
        return whole
    return items
