"""Finalised invoices: numbered and frozen with what they were computed from, and read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, func, select

from modelmint.commerce.billing import inputs_json
from modelmint.commerce.billing.types import BillingInputs, Invoice
from modelmint.commerce.documents.invoice_json import canonical, from_json, money_json
from modelmint.commerce.errors import UnknownInvoice
from modelmint.commerce.ledger.postings import postings
from modelmint.commerce.ledger.types import MachineCost
from modelmint.commerce.moments import micros
from modelmint.commerce.types import Customer
from modelmint.kit.canonical import canonical_json
from modelmint.kit.ids import new_id
from modelmint.kit.period import Period
from modelmint.store import grants
from modelmint.store.history import note, tell
from modelmint.store.journal import post
from modelmint.store.schema import burns, invoice_events, invoices, parties

#: Whom an invoice over nothing was paid by.
NOTHING_DUE = "nothing was due"
#: What the audit log says was done, by kind of invoice, and by what happened to one.
_FINALISED = {"invoice": "invoice.finalised", "credit_note": "credit_note.finalised"}
_MARKED = {
    "paid": "invoice.paid",
    "payment_failed": "invoice.payment_failed",
    "void": "invoice.void",
    "uncollectible": "invoice.uncollectible",
}

_LAST_NUMBER = select(func.max(invoices.c.number))


def next_number(connection: Connection) -> int:
    """The number after the last one; gapless, because it is given in the transaction that uses it."""
    return (connection.scalar(_LAST_NUMBER) or 0) + 1


def finalise(
    connection: Connection,
    invoice: Invoice,
    customer: Customer,
    inputs: BillingInputs | None = None,
    costs: tuple[MachineCost, ...] = (),
) -> Invoice:
    """Freeze ``invoice``, book it, burn its credit, tell of it. What it gives back beyond what it charges is credit.

    Invoice and inputs carry id and number already. Gives the invoice with the customer's name.
    """
    now = micros(invoice.finalised_at)
    text = None if inputs is None else inputs_json.canonical(inputs)
    body = canonical(invoice)
    row = {
        "number": invoice.number,
        "id": invoice.id,
        "customer": invoice.customer,
        "starts_at": micros(invoice.period.start),
        "ends_at": micros(invoice.period.end),
        "body": body.decode(),
        "kind": invoice.kind,
        "inputs": text,
    }
    party = {
        "invoice": invoice.id,
        "customer": customer.id,
        "name": customer.name,
        "email": customer.email,
        "address": customer.address,
        "tax_id": customer.tax_id,
    }
    connection.execute(invoices.insert(), row)
    connection.execute(parties.insert(), party)
    if invoice.burns:
        rows = [
            {"grant": grant, "invoice": invoice.id, "minor": burnt.minor, "at": now} for grant, burnt in invoice.burns
        ]
        connection.execute(burns.insert(), rows)
    if invoice.credit.minor < 0:
        grants.give_back(connection, invoice, now)
    post(connection, postings(invoice, text, costs, body))
    note(connection, _FINALISED[invoice.kind], invoice.id, now, {"number": invoice.number})
    tell(connection, "invoice.finalised", invoice.customer, told(invoice), now)
    if invoice.due.minor <= 0 and invoice.kind == "invoice":
        mark(connection, invoice, "paid", now, {"by": NOTHING_DUE})
    return replace(invoice, customer_name=customer.name)


def mark(connection: Connection, invoice: Invoice, status: str, now: int, data: Mapping[str, Any]) -> None:
    """Something happened to an invoice; told to whoever listens where they may want to know."""
    body = canonical_json(data).decode()
    row = {"invoice": invoice.id, "status": status, "at": now, "data": body}
    connection.execute(invoice_events.insert(), row)
    note(connection, _MARKED[status], invoice.id, now, data)
    kind = {"paid": "invoice.paid", "void": "invoice.voided"}.get(status)
    if kind is not None:
        tell(connection, kind, invoice.customer, {**told(invoice), **data}, now)


def told(invoice: Invoice) -> dict[str, Any]:
    """What a message says of an invoice."""
    return {
        "invoice": invoice.id,
        "number": invoice.number,
        "kind": invoice.kind,
        "customer": invoice.customer,
        "total": money_json(invoice.total),
        "due": money_json(invoice.due),
    }


def new_invoice_id() -> str:
    """A name for an invoice that is about to be finalised."""
    return new_id("inv")


_NAMED = select(invoices.c.body, parties.c.name).outerjoin(parties, parties.c.invoice == invoices.c.id)


def every(connection: Connection, customer: str | None, period: Period | None = None) -> list[Invoice]:
    """By number; credit notes among them."""
    query = _NAMED.order_by(invoices.c.number)
    if customer is not None:
        query = query.where(invoices.c.customer == customer)
    if period is not None:
        query = query.where(invoices.c.starts_at >= micros(period.start), invoices.c.ends_at <= micros(period.end))
    return [from_json(json.loads(body), name) for body, name in connection.execute(query)]


def void(connection: Connection, customer: str) -> list[Invoice]:
    """Those of ``customer`` that were made void."""
    made = select(invoice_events.c.invoice).where(invoice_events.c.status == "void")
    query = select(invoices.c.body).where(invoices.c.customer == customer, invoices.c.id.in_(made))
    return [from_json(json.loads(body)) for body in connection.scalars(query.order_by(invoices.c.number))]


def one(connection: Connection, wanted: str) -> Invoice:
    """By id or number; raises ``UnknownInvoice``."""
    test = invoices.c.number == int(wanted) if wanted.isdecimal() and len(wanted) < 10 else invoices.c.id == wanted
    row = connection.execute(_NAMED.where(test)).first()
    if row is None:
        raise UnknownInvoice(f"no invoice has the id or number {wanted!r}; see 'modelmint invoices list'")
    return from_json(json.loads(row[0]), row[1])
