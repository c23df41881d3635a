"""Closings: a customer's follow each other; nothing billable lies between two."""

from __future__ import annotations

from sqlalchemy import Connection, select

from modelmint.commerce.ledger.types import Finding
from modelmint.commerce.moments import moment
from modelmint.store.schema import call_rollups, closings, event_rollups

TABLE = "closings"


def check(connection: Connection) -> list[Finding]:
    """The first that overlaps the one before it, or leaves usage unbilled before it."""
    columns = closings.c
    rows = connection.execute(
        select(columns.seq, columns.customer, columns.starts_at, columns.ends_at).order_by(
            columns.customer, columns.ends_at
        )
    ).all()
    wrong: list[tuple[int, Finding]] = []
    customer, end = "", 0
    for seq, owner, starts_at, ends_at in rows:
        if owner == customer and starts_at != end:
            problem = _between(connection, owner, end, starts_at)
            if problem:
                wrong.append((seq, Finding(TABLE, f"{seq} ({owner})", problem)))
        customer, end = owner, ends_at
    return [finding for _, finding in sorted(wrong, key=lambda entry: entry[0])[:1]]


def _between(connection: Connection, customer: str, end: int, starts_at: int) -> str:
    if starts_at < end:
        return f"it begins at {moment(starts_at)}, before the closing before it ended ({moment(end)}): billed twice"
    calls = select(call_rollups.c.bucket).where(
        call_rollups.c.customer == customer,
        call_rollups.c.billable == 1,
        call_rollups.c.bucket >= end,
        call_rollups.c.bucket < starts_at,
    )
    events = select(event_rollups.c.bucket).where(
        event_rollups.c.customer == customer, event_rollups.c.bucket >= end, event_rollups.c.bucket < starts_at
    )
    if connection.execute(calls.limit(1)).first() or connection.execute(events.limit(1)).first():
        return (
            f"the closing before it ended at {moment(end)}, it begins at {moment(starts_at)}: usage between is unbilled"
        )
    return ""
