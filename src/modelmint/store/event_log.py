"""Calls and usage events one by one, a page at a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, and_, or_, select

from modelmint.commerce.metering.errors import BadPosition
from modelmint.commerce.metering.types import LogPage
from modelmint.commerce.moments import micros
from modelmint.kit.period import Period
from modelmint.store.event_rows import event_from
from modelmint.store.hot_rows import outcome_from
from modelmint.store.hot_sql import OUTCOME_COLUMNS
from modelmint.store.schema import events, outcomes

_CALLS, _EVENTS = "calls", "events"


def page(connection: Connection, customer: str, period: Period, after: str, limit: int) -> LogPage:
    """What was booked in ``period``: calls first, then events, each in the order of booking. Raises ``BadPosition``."""
    kind, at, seq = _position(after)
    calls: list[Any] = []
    if kind == _CALLS:
        calls = _rows(connection, outcomes, (customer, period), (at, seq), limit)
        if len(calls) == limit:
            return LogPage(_outcomes(calls), (), f"{_CALLS}.{calls[-1]['at']}.{calls[-1]['seq']}")
        at, seq = 0, 0
    rest = limit - len(calls)
    found = _rows(connection, events, (customer, period), (at, seq), rest)
    more = f"{_EVENTS}.{found[-1]['at']}.{found[-1]['seq']}" if found and len(found) == rest else ""
    return LogPage(_outcomes(calls), tuple(event_from(row) for row in found), more)


def _position(after: str) -> tuple[str, int, int]:
    if not after:
        return _CALLS, 0, 0
    kind, _, rest = after.partition(".")
    at, _, seq = rest.partition(".")
    if kind not in (_CALLS, _EVENTS) or not all(part.isdecimal() and len(part) < 19 for part in (at, seq)):
        raise BadPosition(f"expected 'after' as the 'next' of a former page, found {after[:60]!r}")
    return kind, int(at), int(seq)


def _rows(
    connection: Connection, table: Table, mine: tuple[str, Period], after: tuple[int, int], limit: int
) -> list[Any]:
    customer, period = mine
    at, seq = table.c.at, table.c.seq
    query = (
        select(table)
        .where(
            table.c.customer == customer,
            at >= max(micros(period.start), after[0]),
            at < micros(period.end),
            or_(at > after[0], and_(at == after[0], seq > after[1])),
        )
        .order_by(at, seq)
        .limit(limit)
    )
    return list(connection.execute(query).mappings())


def _outcomes(rows: list[Any]) -> tuple[Any, ...]:
    return tuple(outcome_from([row[name] for name in OUTCOME_COLUMNS]) for row in rows)
