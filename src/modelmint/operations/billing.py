"""Billing as the surfaces ask for it: by month names, with the measured cost of a call, with the venture's defaults."""

from __future__ import annotations

from modelmint.commerce.billing.periods import beginning_in
from modelmint.commerce.billing.types import BillingDetails, ClosedDue, Invoice
from modelmint.commerce.repository import Books
from modelmint.commerce.types import Customer
from modelmint.kit.period import Period
from modelmint.operations.unit_costs import unit_costs
from modelmint.releases.shelf import Shelf
from modelmint.venture.sections.billing import BillingSection


def close_month(
    books: Books, shelf: Shelf, customer: Customer, month: Period, notice: str, *, until_now: bool = False
) -> list[Invoice]:
    """Close the customer's billing period that begins in a calendar month."""
    period = beginning_in(month, customer.anchor)
    return books.close_period(customer.id, period, notice, until_now=until_now, unit_costs=unit_costs(shelf))


def close_due(books: Books, shelf: Shelf, notice: str) -> ClosedDue:
    """Close every billing period that has ended and is open; a customer for whom that fails holds up nobody else."""
    return books.bills.close_due(notice, unit_costs(shelf))


def with_defaults(books: Books, customer: Customer, billing: BillingSection | None) -> Customer:
    """A new customer pays the venture's own tax, until something else is set."""
    if billing is None or not billing.tax_rate:
        return customer
    return books.bills.set_details(customer.id, BillingDetails(tax_rate=billing.tax_rate, tax_name=billing.tax_name))
