"""What becomes of finalised invoices: paid, void, given up, corrected by credit notes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from modelmint.commerce.billing.correction import credit_note
from modelmint.commerce.billing.details import check_details
from modelmint.commerce.billing.errors import InvoiceNotOpen
from modelmint.commerce.billing.types import BillingDetails, ClosedDue, Invoice, InvoiceStatus
from modelmint.commerce.documents.invoice_json import from_json
from modelmint.commerce.ledger.postings import invoice_transaction, receivable, reversal, transaction
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Customer
from modelmint.kit.clock import Clock
from modelmint.kit.money import Money, UnitPrice
from modelmint.store import billing_details, due, invoices, people, prepaid
from modelmint.store.database import Database
from modelmint.store.entries import entries_of
from modelmint.store.journal import post
from modelmint.store.owed import owed, received
from modelmint.store.schema import burns, invoice_events, ledger_entries
from modelmint.store.schema import invoices as rows

#: Events that change where an invoice stands; others (a failed payment) are history only.
STATES = ("paid", "void", "uncollectible")
FINALISED = "finalised"
MANUAL = "manual"
#: Machine time was spent whatever becomes of the invoice.
_COSTS = ("cost:", "accrued:")


class SqlBills:
    """``commerce.billing.repository.Bills`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def status(self, invoice: str) -> InvoiceStatus:
        with self._database.read() as connection:
            return status_of(connection, invoices.one(connection, invoice))

    def statuses(self, customer: str | None = None) -> dict[str, str]:
        with self._database.read() as connection:
            owner = None if customer is None else people.customer(connection, customer).id
            return statuses(connection, owner)

    def owed(self, invoice: str) -> Money:
        with self._database.read() as connection:
            return owed(connection, invoices.one(connection, invoice))

    def credit_notes(self, invoice: str) -> list[Invoice]:
        with self._database.read() as connection:
            return notes_of(connection, invoices.one(connection, invoice))

    def pay(self, invoice: str, reference: str = "") -> InvoiceStatus:
        with self._database.write() as connection:
            found = invoices.one(connection, invoice)
            pay(connection, found, self._now(), {"by": MANUAL, "reference": reference})
            return status_of(connection, found)

    def void(self, invoice: str, reason: str = "") -> InvoiceStatus:
        with self._database.write() as connection:
            found = invoices.one(connection, invoice)
            void(connection, found, self._now(), reason)
            return status_of(connection, found)

    def uncollectible(self, invoice: str, reason: str = "") -> InvoiceStatus:
        with self._database.write() as connection:
            found = invoices.one(connection, invoice)
            give_up(connection, found, self._now(), reason)
            return status_of(connection, found)

    def credit_note(
        self, invoice: str, reason: str, *, lines: Sequence[int] = (), amount: Money | None = None
    ) -> Invoice:
        with self._database.write() as connection:
            found = invoices.one(connection, invoice)
            return correct(connection, found, self._now(), reason, lines, amount)

    def close_due(self, notice: str, unit_costs: Mapping[str, UnitPrice] | None = None) -> ClosedDue:
        return due.close_due(self._database, self._clock, notice, unit_costs or {})

    def set_details(self, customer: str, details: BillingDetails) -> Customer:
        check_details(details)
        with self._database.write() as connection:
            owner = people.living(connection, customer)
            return billing_details.store(connection, owner, details, self._now())

    def _now(self) -> int:
        return micros(self._clock.now())


def status_of(connection: Connection, invoice: Invoice) -> InvoiceStatus:
    """From the invoice's events, oldest first."""
    query = select(invoice_events).where(invoice_events.c.invoice == invoice.id).order_by(invoice_events.c.seq)
    events = connection.execute(query).mappings().all()
    history: list[tuple[str, datetime, Mapping[str, Any]]] = [(FINALISED, invoice.finalised_at, {})]
    history += [(row["status"], moment(row["at"]), json.loads(row["data"])) for row in events]
    standing = next(entry for entry in reversed(history) if entry[0] in (*STATES, FINALISED))
    return InvoiceStatus(invoice.id, standing[0], standing[1], tuple(history))


def statuses(connection: Connection, customer: str | None) -> dict[str, str]:
    """Invoice id -> where it stands, for many at once."""
    newest = (
        select(func.max(invoice_events.c.seq))
        .where(invoice_events.c.status.in_(STATES))
        .group_by(invoice_events.c.invoice)
    )
    query = select(rows.c.id, invoice_events.c.status).outerjoin(
        invoice_events, (invoice_events.c.invoice == rows.c.id) & invoice_events.c.seq.in_(newest)
    )
    if customer is not None:
        query = query.where(rows.c.customer == customer)
    return {name: status or FINALISED for name, status in connection.execute(query)}


def notes_of(connection: Connection, invoice: Invoice) -> list[Invoice]:
    """The credit notes that correct it, by number."""
    query = (
        select(rows.c.body)
        .where(rows.c.customer == invoice.customer, rows.c.kind == "credit_note")
        .order_by(rows.c.number)
    )
    found = (from_json(json.loads(body)) for body in connection.scalars(query))
    return [note for note in found if note.corrects == invoice.number]


def pay(connection: Connection, invoice: Invoice, now: int, data: Mapping[str, Any]) -> Money:
    """All that is owed came in through ``data["by"]`` (a provider's name); the amount, 0 where it was paid before.

    Paying twice under one ``data["reference"]`` changes nothing. Raises ``InvoiceNotOpen``.
    """
    status = status_of(connection, invoice)
    if status.status == "paid" and status.history[-1][2].get("reference") == data.get("reference"):
        return Money(0, invoice.currency)
    _must_stand(invoice, status, (FINALISED, "uncollectible"), "be paid")
    amount = owed(connection, invoice)
    legs = [
        (f"cash:{data['by']}", amount, {**_about(invoice), "reference": str(data.get("reference", ""))}),
        (receivable(invoice.customer), -amount, _about(invoice)),
    ]
    name = f"{invoice_transaction(invoice.id)}_paid"
    post(connection, transaction(name, moment(now), f"payment of invoice {invoice.number}", legs))
    invoices.mark(connection, invoice, "paid", now, data)
    return amount


def void(connection: Connection, invoice: Invoice, now: int, reason: str) -> None:
    """It never counted: what it booked is reversed, the credit that it burnt is there again."""
    status = status_of(connection, invoice)
    _must_stand(invoice, status, (FINALISED, "uncollectible"), "be made void; make a credit note instead")
    if notes_of(connection, invoice):
        raise InvoiceNotOpen(f"invoice {invoice.number} has credit notes; correct the rest by another one")
    paid = received(connection, invoice)
    if paid.minor > 0:  # it would lie nowhere: what is void owes nothing that it could be taken off
        raise InvoiceNotOpen(f"{paid} of invoice {invoice.number} was paid; make a credit note instead, or refund it")
    _reverse(connection, invoice, now)
    back = [{"grant": name, "invoice": invoice.id, "minor": -burnt.minor, "at": now} for name, burnt in invoice.burns]
    if back:
        connection.execute(burns.insert(), back)
    invoices.mark(connection, invoice, "void", now, {"reason": reason})
    prepaid.refresh_all(connection, people.customer(connection, invoice.customer), now)


def give_up(connection: Connection, invoice: Invoice, now: int, reason: str) -> None:
    """Nobody is asked for it any more. It stays owed in the ledger until it is paid or corrected by a credit note."""
    _must_stand(invoice, status_of(connection, invoice), (FINALISED,), "be given up")
    invoices.mark(connection, invoice, "uncollectible", now, {"reason": reason})


def correct(
    connection: Connection, invoice: Invoice, now: int, reason: str, lines: Sequence[int], amount: Money | None
) -> Invoice:
    """A credit note; what of it is unpaid is owed no longer, the rest is prepaid credit."""
    status = status_of(connection, invoice)
    _must_stand(invoice, status, (FINALISED, "paid", "uncollectible"), "be corrected")
    earlier, unpaid = notes_of(connection, invoice), owed(connection, invoice)
    drafted = credit_note(invoice, earlier, reason, unpaid, moment(now), lines=lines, amount=amount)
    note = replace(drafted, id=invoices.new_invoice_id(), number=invoices.next_number(connection))
    customer = people.customer(connection, invoice.customer)
    made = invoices.finalise(connection, note, customer)
    if status.status != "paid" and (unpaid + note.due).minor == 0:
        invoices.mark(connection, invoice, "paid", now, {"by": f"credit note {note.number}"})
    prepaid.refresh_all(connection, customer, now)
    return made


def _must_stand(invoice: Invoice, status: InvoiceStatus, among: Sequence[str], what: str) -> None:
    if invoice.kind != "invoice":
        raise InvoiceNotOpen(f"{invoice.number} is a credit note; it cannot {what}")
    if status.status not in among:
        raise InvoiceNotOpen(f"invoice {invoice.number} is {status.status}; it cannot {what}")


def _reverse(connection: Connection, invoice: Invoice, now: int) -> None:
    name = invoice_transaction(invoice.id)
    booked = _booked(connection, ledger_entries.c.transaction == name)
    if not booked:  # books of the first release named transactions at random
        same = ledger_entries.c.memo == f"invoice {invoice.number}"
        booked = _booked(connection, same & ledger_entries.c.data.contains(invoice.id, autoescape=True))
    post(connection, reversal(booked, f"{name}_void", moment(now), f"invoice {invoice.number}: void"))


def _booked(connection: Connection, test: ColumnElement[bool]) -> list[LedgerEntry]:
    query = select(ledger_entries).where(test).order_by(ledger_entries.c.seq)
    return [entry for entry in entries_of(connection, query) if not entry.account.startswith(_COSTS)]


def _about(invoice: Invoice) -> dict[str, Any]:
    return {"invoice": invoice.id, "number": invoice.number}
