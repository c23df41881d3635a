"""The outcomes one by one, and how many there were of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from modelmint.commerce.moments import micros
from modelmint.commerce.types import Outcome
from modelmint.kit.period import Period
from modelmint.store.database import Database
from modelmint.store.hot_rows import outcome_from
from modelmint.store.hot_sql import OUTCOME_COLUMNS
from modelmint.store.schema import call_rollups, outcomes

_PAGE = 2000
_DAY = 86_400_000_000

Counted = dict[tuple[str, int, str], int]


def _in(customer: str | None, period: Period | None) -> ColumnElement[bool]:
    tests: list[ColumnElement[bool]] = [outcomes.c.seq > 0]
    if customer is not None:
        tests.append(outcomes.c.customer == customer)
    if period is not None:
        tests += [outcomes.c.at >= micros(period.start), outcomes.c.at < micros(period.end)]
    return and_(*tests)


def stream(database: Database, customer: str | None, period: Period | None) -> Iterator[Outcome]:
    """Every row in the order of booking, a page at a time, so that no reader holds the database open."""
    last = 0
    while True:
        query = (
            select(outcomes.c.seq, *(outcomes.c[name] for name in OUTCOME_COLUMNS))
            .where(_in(customer, period), outcomes.c.seq > last)
            .order_by(outcomes.c.seq)
            .limit(_PAGE)
        )
        with database.read() as connection:
            rows: list[Any] = list(connection.execute(query))
        for row in rows:
            yield outcome_from(row[1:])
        if len(rows) < _PAGE:
            return
        last = rows[-1][0]


class OutcomeCounts:
    """How many outcomes there were of each kind, from the roll-ups.

    Days that nobody adds to any more are read once and remembered: whoever scrapes /metrics reads three days, not the
    whole history. (A clock that is set back by more than two days adds to such a day; that is seen a day later.)
    """

    def __init__(self) -> None:
        #: Until when days are remembered, and what they hold; replaced together, as several threads read.
        self._known: tuple[int, Counted] = (-1, {})

    def read(self, connection: Connection, now: int) -> Counted:
        """(model, status, code) -> outcomes so far; ``now`` in microseconds."""
        since = now - now % _DAY - 2 * _DAY
        known = self._known
        if since != known[0]:
            known = self._known = since, _summed(connection, call_rollups.c.bucket < since)
        found = dict(known[1])
        for kind, n in _summed(connection, call_rollups.c.bucket >= since).items():
            found[kind] = found.get(kind, 0) + n
        return found


def _summed(connection: Connection, which: ColumnElement[bool]) -> Counted:
    names = (call_rollups.c.model, call_rollups.c.status, call_rollups.c.code)
    rows = connection.execute(select(*names, func.sum(call_rollups.c.n)).where(which).group_by(*names))
    return {(model, status, code): int(n) for model, status, code, n in rows}
