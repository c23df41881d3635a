"""What the outcomes add up to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from modelmint.commerce.metering.types import UsageSummary
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Outcome
from modelmint.kit.period import Period
from modelmint.store.database import Database
from modelmint.store.hot_rows import outcome_from
from modelmint.store.hot_sql import OUTCOME_COLUMNS
from modelmint.store.schema import outcomes, tallies

_DAY = 86_400_000_000
_PAGE = 2000


def summary(connection: Connection, customer: str, period: Period) -> UsageSummary:
    """Billable calls and items by model and day, other rows by code."""
    mine = _in(customer, period)
    sold = and_(mine, outcomes.c.billable == 1)
    day = outcomes.c.at // _DAY
    calls, items = func.coalesce(func.sum(outcomes.c.calls), 0), func.coalesce(func.sum(outcomes.c["items"]), 0)
    total = connection.execute(select(calls, items).where(sold)).one()
    by_model = connection.execute(select(outcomes.c.model, calls).where(sold).group_by(outcomes.c.model))
    by_day = connection.execute(select(day, calls).where(sold).group_by(day).order_by(day))
    unsold = and_(mine, outcomes.c.billable == 0, outcomes.c.status != 200)
    refused = connection.execute(select(outcomes.c.code, func.count()).where(unsold).group_by(outcomes.c.code))
    return UsageSummary(
        customer=customer,
        period=period,
        calls=int(total[0]),
        items=int(total[1]),
        by_model={model: int(n) for model, n in by_model},
        by_day={f"{moment(int(number) * _DAY):%Y-%m-%d}": int(n) for number, n in by_day},
        refused={code: int(n) for code, n in refused},
    )


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


def counts(connection: Connection) -> dict[tuple[str, int, str], int]:
    """(model, status, code) -> outcomes so far."""
    names = (tallies.c.model, tallies.c.status, tallies.c.code)
    rows = connection.execute(select(*names, func.sum(tallies.c.n)).group_by(*names))
    return {(model, status, code): int(n) for model, status, code, n in rows}
