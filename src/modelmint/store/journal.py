"""The hash-chained ledger: posting, verify, segments, exports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Select, select

from modelmint.commerce.ledger.chain import START, chained
from modelmint.commerce.ledger.postings import check_balanced
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.commerce.moments import micros, moment
from modelmint.kit.canonical import canonical_json
from modelmint.kit.clock import Clock
from modelmint.kit.money import Money
from modelmint.store.database import Database
from modelmint.store.schema import ledger_entries


def post(connection: Connection, entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """Book ``entries`` at the end of the chain; returns them with their places and hashes.

    The only way into the ledger. ``connection`` must be of ``Database.write``, which nobody shares: the next place
    and hash depend on the last. Raises ``Unbalanced``, and then nothing is booked.
    """
    new = list(entries)
    check_balanced(new)
    if not new:
        return []
    last = connection.execute(
        select(ledger_entries.c.seq, ledger_entries.c.hash).order_by(ledger_entries.c.seq.desc()).limit(1)
    ).first()
    seq, former = (0, START) if last is None else (last.seq, last.hash)
    booked = list(chained(former, seq, new))
    connection.execute(ledger_entries.insert(), [row_of(entry) for entry in booked])
    return booked


def row_of(entry: LedgerEntry) -> dict[str, Any]:
    """The columns of an entry."""
    return {
        "seq": entry.seq,
        "id": entry.id,
        "transaction": entry.transaction,
        "account": entry.account,
        "minor": entry.amount.minor,
        "currency": entry.amount.currency,
        "at": micros(entry.at),
        "memo": entry.memo,
        "data": canonical_json(entry.data).decode(),
        "hash": entry.hash,
    }


def entries_of(connection: Connection, query: Select[Any] | None = None) -> Iterator[LedgerEntry]:
    """Streams the entries that ``query`` over ``ledger_entries`` selects; all, in the order of booking, without one."""
    wanted = select(ledger_entries).order_by(ledger_entries.c.seq) if query is None else query
    for row in connection.execution_options(yield_per=1000).execute(wanted).mappings():
        yield LedgerEntry(
            id=row["id"],
            transaction=row["transaction"],
            account=row["account"],
            amount=Money(row["minor"], row["currency"]),
            at=moment(row["at"]),
            memo=row["memo"],
            data=json.loads(row["data"]),
            seq=row["seq"],
            hash=row["hash"],
        )


class SqlJournal:
    """``commerce.ledger.repository.Journal`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
