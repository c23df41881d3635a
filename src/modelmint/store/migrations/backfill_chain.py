"""Gives entries that were booked before there was a chain their hashes; part of revision 0002."""

from __future__ import annotations

import json

from sqlalchemy import Connection, text

from modelmint.commerce.ledger.chain import START, link
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.commerce.moments import moment
from modelmint.kit.money import Money


def chain_old_entries(connection: Connection) -> None:
    """The only time that entries are ever changed: the guard goes, and the caller puts it back."""
    if connection.dialect.name == "sqlite":
        for verb in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER ledger_entries_no_{verb}"))
    else:
        connection.execute(text("DROP TRIGGER ledger_entries_append_only ON ledger_entries"))
    former = START
    change = text("UPDATE ledger_entries SET hash = :hash WHERE seq = :seq")
    for row in connection.execute(text("SELECT * FROM ledger_entries ORDER BY seq")).mappings().all():
        entry = LedgerEntry(
            id=row["id"],
            transaction=row["transaction"],
            account=row["account"],
            amount=Money(row["minor"], row["currency"]),
            at=moment(row["at"]),
            memo=row["memo"],
            data=json.loads(row["data"]),
        )
        former = link(former, entry)
        connection.execute(change, {"hash": former, "seq": row["seq"]})
