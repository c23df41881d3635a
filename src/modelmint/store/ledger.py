"""What stands in the ledger: verify, segments, streams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, func, select

from modelmint.commerce.billing import inputs_json
from modelmint.commerce.documents.types import Party
from modelmint.commerce.ledger.chain import START
from modelmint.commerce.ledger.errors import NotReplayable
from modelmint.commerce.ledger.postings import invoice_transaction
from modelmint.commerce.ledger.types import LedgerEntry, Segment, Verdict
from modelmint.commerce.moments import micros
from modelmint.kit.clock import Clock
from modelmint.kit.money import Money
from modelmint.kit.period import Period
from modelmint.store import invoices as papers
from modelmint.store.database import Database
from modelmint.store.entries import entries_of
from modelmint.store.journal import last_of
from modelmint.store.schema import invoices, ledger_entries, parties
from modelmint.store.verify import verify


class SqlJournal:
    """``commerce.ledger.repository.Journal`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def verify(self, *, raw: bool = False, noted: str | None = None) -> Verdict:
        with self._database.snapshot() as connection:
            return verify(connection, raw=raw, noted=noted)

    def head(self) -> tuple[int, str]:
        with self._database.read() as connection:
            return last_of(connection)

    def entries(
        self, period: Period | None = None, account: str | None = None, after: int = 0
    ) -> Iterator[LedgerEntry]:
        query = select(ledger_entries).where(ledger_entries.c.seq > after).order_by(ledger_entries.c.seq)
        if period is not None:
            query = query.where(ledger_entries.c.at >= micros(period.start), ledger_entries.c.at < micros(period.end))
        if account is not None:
            query = query.where(ledger_entries.c.account == account)
        with self._database.snapshot() as connection:
            yield from entries_of(connection, query)

    def balances(self) -> dict[tuple[str, str], Money]:
        columns = ledger_entries.c
        query = (
            select(columns.account, columns.currency, func.sum(columns.minor))
            .group_by(columns.account, columns.currency)
            .order_by(columns.account, columns.currency)
        )
        with self._database.read() as connection:
            return {
                (account, currency): Money(int(minor), currency)
                for account, currency, minor in connection.execute(query)
            }

    def segment(self, invoice: str) -> Segment:
        with self._database.snapshot() as connection:
            row = _row(connection, invoice)
            if row.inputs is None:
                raise NotReplayable(
                    f"invoice {row.number} was not computed from usage: it is a credit note, or older than replay"
                )
            query = select(ledger_entries).where(ledger_entries.c.transaction == invoice_transaction(row.id))
            entries = tuple(entries_of(connection, query.order_by(ledger_entries.c.seq)))
            first = entries[0].seq if entries else 0
            former = connection.scalar(
                select(ledger_entries.c.hash)
                .where(ledger_entries.c.seq < first)
                .order_by(ledger_entries.c.seq.desc())
                .limit(1)
            )
        inputs = inputs_json.from_json(json.loads(row.inputs))
        return Segment(row.id, inputs.plan, inputs.plan_version, former or START, row.inputs, entries)

    def party(self, invoice: str) -> Party:
        with self._database.read() as connection:
            row = connection.execute(select(parties).where(parties.c.invoice == invoice)).first()
            return Party() if row is None else Party(row.name, row.address, row.tax_id, row.email)

    def frozen(self, invoice: str) -> str:
        with self._database.read() as connection:
            return str(_row(connection, invoice).body)


def _row(connection: Connection, wanted: str) -> Row[Any]:
    """By id or number; raises ``UnknownInvoice``."""
    number = papers.one(connection, wanted).number
    return connection.execute(select(invoices).where(invoices.c.number == number)).one()
