"""What is still owed on a finalised invoice."""

from __future__ import annotations

import json

from sqlalchemy import Connection, func, select

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.documents.invoice_json import from_json
from modelmint.kit.money import Money
from modelmint.store.schema import invoice_events, payment_attempts
from modelmint.store.schema import invoices as invoice_rows

#: An invoice that came to one of these is not asked for any more.
CLOSED = ("paid", "void")


def is_closed(connection: Connection, invoice: str) -> bool:
    """Whether it is paid or void."""
    events = invoice_events.c
    query = select(func.count()).where(events.invoice == invoice, events.status.in_(CLOSED))
    return bool(connection.scalar(query))


def owed(connection: Connection, invoice: Invoice) -> Money:
    """Due, less its credit notes, less what was paid in part; nothing on what is paid or void."""
    nothing = Money(0, invoice.currency)
    if invoice.kind != "invoice" or is_closed(connection, invoice.id):
        return nothing
    rows = invoice_rows.c
    notes = select(rows.body).where(rows.kind == "credit_note", rows.customer == invoice.customer)
    corrections = [from_json(json.loads(body), "") for body in connection.scalars(notes)]
    corrected = sum((one.due.minor for one in corrections if one.corrects == invoice.number), 0)
    open_minor = invoice.due.minor + corrected - received(connection, invoice).minor
    return Money(max(0, open_minor), invoice.currency)


def received(connection: Connection, invoice: Invoice) -> Money:
    """What providers collected for it, less what went back."""
    tried = payment_attempts.c
    paid = select(func.sum(tried.minor - tried.refunded)).where(tried.invoice == invoice.id, tried.state == "succeeded")
    return Money(int(connection.scalar(paid) or 0), invoice.currency)
