"""The one way into the hash-chained ledger."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from modelmint.commerce.ledger.chain import START, chained
from modelmint.commerce.ledger.postings import check_balanced
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.store.entries import entries_of, row_of
from modelmint.store.schema import ledger_entries

__all__ = ["entries_of", "last_of", "post"]


def post(connection: Connection, entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """Book ``entries`` at the end of the chain; returns them with their places and hashes.

    The only way into the ledger. ``connection`` must be of ``Database.write``, which nobody shares: the next place
    and hash depend on the last. Raises ``Unbalanced``, and then nothing is booked.
    """
    new = list(entries)
    check_balanced(new)
    if not new:
        return []
    seq, former = last_of(connection)
    booked = list(chained(former, seq, new))
    connection.execute(ledger_entries.insert(), [row_of(entry) for entry in booked])
    return booked


def last_of(connection: Connection) -> tuple[int, str]:
    """Place and hash of the last entry."""
    query = select(ledger_entries.c.seq, ledger_entries.c.hash).order_by(ledger_entries.c.seq.desc()).limit(1)
    last = connection.execute(query).first()
    return (0, START) if last is None else (last.seq, last.hash)
