"""Invoices: numbered without a gap, summing up, and exactly what the ledger booked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.documents.invoice_json import from_json
from modelmint.commerce.ledger.postings import invoice_transaction, postings
from modelmint.commerce.ledger.types import Finding, LedgerEntry
from modelmint.commerce.moments import micros
from modelmint.kit.digest import digest_bytes
from modelmint.kit.errors import ModelmintError
from modelmint.kit.money import Money
from modelmint.store.entries import UNREADABLE, entry_of, rows_of
from modelmint.store.schema import invoices, ledger_entries

TABLE = "invoices"
_PAGE = 500


def check(connection: Connection, highest: int) -> tuple[int, list[Finding]]:
    """How many there are, and the first that is broken; ``highest`` is the highest number that was booked."""
    seen = 0
    for page in _pages(connection):
        booked = _booked(connection, page)
        for row in page:
            if row.number != seen + 1:
                return seen, [Finding(TABLE, str(seen + 1), f"there is no invoice {seen + 1}; {row.number} exists")]
            problem = _problem(row, booked.get(row.id, ()))
            if problem:
                return seen, [Finding(TABLE, f"{row.number} ({row.id})", problem)]
            seen += 1
    if seen < highest:
        return seen, [Finding(TABLE, str(seen + 1), f"there is no invoice {seen + 1}; the ledger booked {highest}")]
    return seen, []


def _pages(connection: Connection) -> Iterator[Sequence[Row[Any]]]:
    last = 0
    while page := connection.execute(
        select(invoices).where(invoices.c.number > last).order_by(invoices.c.number).limit(_PAGE)
    ).all():
        yield page
        last = page[-1].number


def _booked(connection: Connection, page: Sequence[Row[Any]]) -> Mapping[str, Sequence[LedgerEntry]]:
    """The posting of each invoice of the page; those of the first release are found by what their memo says."""
    found: dict[str, list[LedgerEntry]] = {}
    names = {invoice_transaction(row.id): row.id for row in page}
    query = select(ledger_entries).order_by(ledger_entries.c.seq)
    for entry in _readable(connection, query.where(ledger_entries.c.transaction.in_(names))):
        found.setdefault(names[entry.transaction], []).append(entry)
    old = {f"invoice {row.number}": row.id for row in page if row.id not in found}
    if old:
        for entry in _readable(connection, query.where(ledger_entries.c.memo.in_(old))):
            if entry.data.get("invoice") == old[entry.memo] and "reverses" not in entry.data:
                found.setdefault(old[entry.memo], []).append(entry)
    return found


def _readable(connection: Connection, query: Select[Any]) -> Iterator[LedgerEntry]:
    """Without the rows that hold nonsense: the chain names those."""
    for row in rows_of(connection, query):
        with suppress(*UNREADABLE):
            yield entry_of(row)


def _problem(row: Row[Any], booked: Sequence[LedgerEntry]) -> str:
    try:
        invoice = from_json(json.loads(row.body))
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, ModelmintError) as error:
        return f"its body cannot be read: {error!r}"
    return _columns(row, invoice) or _sums(invoice) or _digests(row, booked) or _legs(invoice, booked)


def _columns(row: Row[Any], invoice: Invoice) -> str:
    said = (invoice.id, invoice.number, invoice.customer, micros(invoice.period.start), micros(invoice.period.end))
    stored = (row.id, row.number, row.customer, row.starts_at, row.ends_at)
    if said != stored or invoice.kind != row.kind:
        return "its columns and its body name another invoice, customer or period"
    return ""


def _sums(invoice: Invoice) -> str:
    try:
        lines = Money(sum(line.amount.minor for line in invoice.lines), invoice.currency)
        credit = Money(sum(amount.minor for _, amount in invoice.burns), invoice.currency)
        facts = (
            ("its lines", lines, "its subtotal", invoice.subtotal),
            ("subtotal and tax", invoice.subtotal + invoice.tax, "its total", invoice.total),
            ("total less credit", invoice.total - invoice.credit, "what is due", invoice.due),
            ("the credit burnt", credit, "its credit", Money(max(invoice.credit.minor, 0), invoice.currency)),
        )
    except ModelmintError as error:
        return error.message
    for what, left, of, right in facts:
        if left != right:
            return f"{what} come to {left}, {of} to {right}"
    return ""


def _digests(row: Row[Any], booked: Sequence[LedgerEntry]) -> str:
    """Nothing is asked of invoices that were booked before there were digests."""
    if not booked:
        return "" if not json.loads(row.body)["total"]["minor"] else "the ledger holds no posting of it"
    proof = booked[0].data
    if "digest" not in proof:
        return ""
    if digest_bytes(row.body.encode()) != proof["digest"]:
        return "its body is not the one that the ledger booked (another sha256)"
    inputs = None if row.inputs is None else digest_bytes(row.inputs.encode())
    if inputs != proof.get("inputs"):
        return "what it was computed from is not what the ledger booked (another sha256)"
    return ""


def _legs(invoice: Invoice, booked: Sequence[LedgerEntry]) -> str:
    """The posting is the invoice's own; machine time is measured, so replay looks at that."""
    wanted = sorted((entry.account, entry.amount.minor, entry.amount.currency) for entry in _kept(postings(invoice)))
    found = sorted((entry.account, entry.amount.minor, entry.amount.currency) for entry in _kept(booked))
    return "" if wanted == found else "the ledger booked other amounts or accounts than its body says"


def _kept(entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    return [entry for entry in entries if entry.amount.minor and not entry.account.endswith(":machine")]
