"""The chain itself: every row follows from the one before, every transaction sums to zero."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, func, select

from modelmint.commerce.ledger.chain import START, link
from modelmint.commerce.ledger.types import Finding
from modelmint.kit.canonical import canonical_json
from modelmint.store.entries import UNREADABLE, entry_of, rows_of
from modelmint.store.schema import ledger_entries

TABLE = "ledger_entries"


@dataclass
class Chain:
    """What a walk along the chain saw."""

    entries: int = 0
    head: str = START
    #: Highest invoice number that a posting names.
    highest: int = 0
    findings: list[Finding] = field(default_factory=list)


def walk(connection: Connection, noted: str | None) -> Chain:
    """Along all rows up to the first that is broken. ``noted`` is a head noted earlier: it must still be passed."""
    found = Chain()
    seen = noted is None or noted == START
    for row in rows_of(connection):
        problem = _problem(found, row)
        if problem:
            found.findings.append(Finding(TABLE, f"{row['seq']} ({row['id']})", problem))
            break
        found.entries += 1
        found.head = row["hash"]
        seen = seen or row["hash"] == noted
    if not seen and not found.findings:
        found.findings.append(
            Finding(
                TABLE,
                f"after {found.entries}",
                f"no entry has the noted hash {noted}: the end of the ledger was cut off, or all of it was rewritten",
            )
        )
    return found


def _problem(before: Chain, row: RowMapping) -> str:
    """What is wrong with ``row`` after what was walked; "" where nothing is."""
    try:
        entry = entry_of(row)
        plain = canonical_json(entry.data).decode() == row["data"]
    except UNREADABLE as error:
        return f"it cannot be read: {error}"
    if not plain or link(before.head, entry) != row["hash"]:
        missing = row["seq"] - before.entries - 1
        hint = f"; {missing} before it may be missing" if missing > 0 else ""
        return (
            "its hash does not follow from the entry before it and its own content: this one was changed, or one "
            f"was removed, added or moved before it{hint}"
        )
    number = entry.data.get("number") if "digest" in entry.data else None
    if isinstance(number, int):
        before.highest = max(before.highest, number)
    return ""


def transactions(connection: Connection) -> tuple[int, list[Finding]]:
    """How many there are, and the first that does not sum to zero."""
    columns = ledger_entries.c
    count = connection.scalar(select(func.count(columns.transaction.distinct()))) or 0
    total, first = func.sum(columns.minor), func.min(columns.seq)
    query = (
        select(columns.transaction, columns.currency, total, first)
        .group_by(columns.transaction, columns.currency)
        .having(total != 0)
        .order_by(first)
        .limit(1)
    )
    found = [
        Finding(TABLE, f"{seq} ({name})", f"its legs sum to {int(minor)} minor units of {currency}, not to zero")
        for name, currency, minor, seq in connection.execute(query)
    ]
    return count, found
