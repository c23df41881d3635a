"""The hash-chained ledger: posting, verify, segments, exports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, func, select

from modelmint.commerce.ledger.chain import START, chained
from modelmint.commerce.ledger.postings import check_balanced
from modelmint.commerce.ledger.types import LedgerEntry, Verdict
from modelmint.commerce.moments import micros
from modelmint.kit.clock import Clock
from modelmint.kit.money import Money
from modelmint.kit.period import Period
from modelmint.store.database import Database
from modelmint.store.entries import entries_of, row_of
from modelmint.store.schema import ledger_entries
from modelmint.store.verify import verify

__all__ = ["SqlJournal", "entries_of", "post"]


def post(connection: Connection, entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """Book ``entries`` at the end of the chain; returns them with their places and hashes.

    The only way into the ledger. ``connection`` must be of ``Database.write``, which nobody shares: the next place
    and hash depend on the last. Raises ``Unbalanced``, and then nothing is booked.
    """
    new = list(entries)
    check_balanced(new)
    if not new:
        return []
    seq, former = _last(connection)
    booked = list(chained(former, seq, new))
    connection.execute(ledger_entries.insert(), [row_of(entry) for entry in booked])
    return booked


class SqlJournal:
    """``commerce.ledger.repository.Journal`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def verify(self, *, raw: bool = False, noted: str | None = None) -> Verdict:
        with self._database.snapshot() as connection:
            return verify(connection, raw=raw, noted=noted)

    def head(self) -> tuple[int, str]:
        with self._database.read() as connection:
            return _last(connection)

    def entries(self, period: Period | None = None, account: str | None = None) -> Iterator[LedgerEntry]:
        query = select(ledger_entries).order_by(ledger_entries.c.seq)
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


def _last(connection: Connection) -> tuple[int, str]:
    query = select(ledger_entries.c.seq, ledger_entries.c.hash).order_by(ledger_entries.c.seq.desc()).limit(1)
    last = connection.execute(query).first()
    return (0, START) if last is None else (last.seq, last.hash)
