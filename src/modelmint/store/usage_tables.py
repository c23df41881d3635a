"""Usage added up by what is asked, from the roll-ups: as fast for many calls as for few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from modelmint.commerce.metering.tables import dimensions
from modelmint.commerce.metering.types import DIMENSIONS, UsageRow, UsageSummary
from modelmint.commerce.moments import micros, moment
from modelmint.kit.period import Period
from modelmint.store.quantities import CALL_COLUMNS, MILLIONTHS, exact, shortest
from modelmint.store.schema import call_rollups, event_rollups

_DAY = 86_400_000_000


def table(connection: Connection, customer: str | None, period: Period, by: Sequence[str]) -> list[UsageRow]:
    """Billable usage booked in ``period`` by meter and ``by``, in that order; raises ``BadPosition``."""
    by = dimensions(by)
    found: dict[tuple[str, ...], tuple[int, Decimal]] = {}
    for name, n, quantity in (*_calls(connection, customer, period, by), *_events(connection, customer, period, by)):
        former = found.get(name, (0, Decimal(0)))
        found[name] = (former[0] + n, shortest(former[1] + quantity))
    rows = []
    for name, (n, quantity) in sorted(found.items()):
        cells = dict.fromkeys(DIMENSIONS, "") | dict(zip((*by, "meter"), name, strict=True))
        rows.append(UsageRow(**cells, n=n, quantity=quantity))
    return rows


def summary(connection: Connection, customer: str, period: Period) -> UsageSummary:
    """Billable calls by model, day and key, quantities by meter; what was refused or failed by code."""
    by_model: dict[str, int] = {}
    by_day: dict[str, int] = {}
    by_key: dict[str, int] = {}
    by_meter: dict[str, Decimal] = {}
    for (day, model, key, meter), _, quantity in _calls(connection, customer, period, ("day", "model", "key")):
        by_meter[meter] = by_meter.get(meter, Decimal(0)) + quantity
        if meter == "calls":
            for sums, name in ((by_model, model), (by_day, day), (by_key, key)):
                sums[name] = sums.get(name, 0) + int(quantity)
    calls, items = int(by_meter.get("calls", 0)), int(by_meter.get("items", 0))
    for (meter,), _, quantity in _events(connection, customer, period, ()):
        by_meter[meter] = by_meter.get(meter, Decimal(0)) + quantity
    return UsageSummary(
        customer=customer,
        period=period,
        calls=calls,
        items=items,
        by_model=dict(sorted(by_model.items())),
        by_day=dict(sorted(by_day.items())),
        refused=_refused(connection, customer, period),
        by_key=by_key,
        by_meter={meter: shortest(quantity) for meter, quantity in sorted(by_meter.items())},
    )


def _refused(connection: Connection, customer: str, period: Period) -> dict[str, int]:
    rollups = call_rollups.c
    tests = (*_mine(call_rollups, customer, period), rollups.billable == 0, rollups.status != 200)
    rows = connection.execute(select(rollups.code, func.sum(rollups.n)).where(*tests).group_by(rollups.code))
    return {code: int(n) for code, n in rows}


_Sums = Iterator[tuple[tuple[str, ...], int, Decimal]]


def _calls(connection: Connection, customer: str | None, period: Period, by: Sequence[str]) -> _Sums:
    columns = [column for column, _ in CALL_COLUMNS.values()]
    tests = (*_mine(call_rollups, customer, period), call_rollups.c.billable == 1)
    for row in _grouped(connection, call_rollups, tests, by, ("n", *columns)):
        for meter, (column, power) in CALL_COLUMNS.items():
            if row[column]:
                yield (*_named(row, by), meter), int(row["n"]), exact(row[column], power)


def _events(connection: Connection, customer: str | None, period: Period, by: Sequence[str]) -> _Sums:
    tests = _mine(event_rollups, customer, period)
    for row in _grouped(connection, event_rollups, tests, (*by, "meter"), ("n", "quantity")):
        yield _named(row, (*by, "meter")), int(row["n"]), exact(row["quantity"], MILLIONTHS)


def _mine(source: Table, customer: str | None, period: Period) -> tuple[ColumnElement[bool], ...]:
    tests = (source.c.bucket >= micros(period.start), source.c.bucket < micros(period.end))
    return tests if customer is None else (source.c.customer == customer, *tests)


def _grouped(
    connection: Connection,
    source: Table,
    tests: Sequence[ColumnElement[bool]],
    by: Sequence[str],
    sums: Sequence[str],
) -> list[Any]:
    # A bucket begins at midnight, or later in the day where a closing cut it.
    names = [(source.c.bucket // _DAY).label("day") if name == "day" else source.c[name] for name in by]
    columns = [func.sum(source.c[name]).label(name) for name in sums]
    query = select(*names, *columns).where(*tests).group_by(*names)
    return [row for row in connection.execute(query).mappings() if row["n"]]


def _named(row: Any, by: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{moment(int(row[name]) * _DAY):%Y-%m-%d}" if name == "day" else row[name] for name in by)
