"""Ledger entries as rows and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.commerce.moments import micros, moment
from modelmint.kit.canonical import canonical_json
from modelmint.kit.errors import ModelmintError
from modelmint.kit.money import Money
from modelmint.store.schema import ledger_entries

#: Rows held in memory at a time.
PAGE = 1000


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


#: What ``entry_of`` raises where somebody put nonsense into a row.
UNREADABLE = (ValueError, TypeError, OverflowError, ModelmintError)


def entry_of(row: RowMapping) -> LedgerEntry:
    """The entry that a row holds; raises one of ``UNREADABLE``."""
    return LedgerEntry(
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


def rows_of(connection: Connection, query: Select[Any] | None = None) -> Iterator[RowMapping]:
    """Streams the rows that ``query`` over ``ledger_entries`` selects; all, in the order of booking, without one."""
    wanted = select(ledger_entries).order_by(ledger_entries.c.seq) if query is None else query
    yield from connection.execute(wanted, execution_options={"yield_per": PAGE}).mappings()


def entries_of(connection: Connection, query: Select[Any] | None = None) -> Iterator[LedgerEntry]:
    """``rows_of`` as entries."""
    for row in rows_of(connection, query):
        yield entry_of(row)
