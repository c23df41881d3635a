"""What invoices are computed from, read from the roll-ups: holdings, cells, different values, kept promises."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, func, select

from modelmint.commerce.billing.contracts import Edits
from modelmint.commerce.billing.prorate import merged
from modelmint.commerce.billing.types import Held, Kept
from modelmint.commerce.metering.types import Cell, Distinct, Quantities
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Plan
from modelmint.kit.period import Period
from modelmint.store import catalogue
from modelmint.store.operation import RELEASED, REPLAYED
from modelmint.store.quantities import CALL_COLUMNS, MILLIONTHS, exact, shortest
from modelmint.store.schema import call_rollups, event_rollups, outcomes, subscriptions, uniques
from modelmint.store.spans import edited

_CELL = ("subscription", "period", "model", "variant", "state")


@dataclass(frozen=True, slots=True)
class Holding:
    """The spans of one root: one plan version, held by one customer."""

    root: str
    plan: Plan
    spans: tuple[str, ...]
    held: tuple[Held, ...]
    since: datetime

    @property
    def meters(self) -> frozenset[str]:
        """What the plan's charges count."""
        return frozenset(charge.meter for charge in self.plan.charges)

    @property
    def unique_meters(self) -> list[str]:
        """Those of which different values are counted."""
        return sorted({charge.meter for charge in self.plan.charges if charge.aggregate == "unique"})


@dataclass(slots=True)
class Usage:
    """What was booked in a part under one root."""

    cells: tuple[Cell, ...] = ()
    distinct: tuple[Distinct, ...] = ()
    #: Release -> calls that it served; what nobody knows the release of is left out.
    calls: dict[str, int] = field(default_factory=dict)


_NONE = Edits()
_SPANS = select(subscriptions).where(subscriptions.c.customer == bindparam("owner")).order_by(subscriptions.c.seq)


def holdings(connection: Connection, customer: str, edits: Edits = _NONE) -> list[Holding]:
    """In the order in which they were first taken; as they would be after ``edits``."""
    rows = connection.execute(_SPANS, {"owner": customer}).mappings()
    together: dict[str, list[Any]] = {}
    for row in edited(rows, edits):
        together.setdefault(row["root"] or row["id"], []).append(row)
    found = []
    for root, spans in together.items():
        held = merged(
            Held(moment(span["starts_at"]), None if span["ends_at"] is None else moment(span["ends_at"]))
            for span in spans
            if span["state"] != "paused"
        )
        found.append(
            Holding(
                root=root,
                plan=catalogue.plan(connection, spans[0]["plan"], spans[0]["plan_version"]),
                spans=tuple(span["id"] for span in spans),
                held=tuple(held),
                # A span that was given up before it began was never held.
                since=held[0].start if held else moment(spans[0]["starts_at"]),
            )
        )
    return found


def usage(
    connection: Connection, customer: str, held: Sequence[Holding], part: Period, period: datetime
) -> dict[str, Usage]:
    """By root: what was booked in ``part``, and what earlier invoices hold of the same billing periods.

    The billing period that begins at ``period`` is always among them: caps and minimums count all of it.
    """
    roots = {span: holding for holding in held for span in holding.spans}
    start, end = micros(part.start), micros(part.end)
    found = {holding.root: Usage() for holding in held}
    new_calls, new_events = _calls(connection, customer, (start, end)), _events(connection, customer, (start, end))
    periods = {micros(period)} | {row["period"] for row in (*new_calls, *new_events)}
    earlier = (min(periods), start)
    old_calls, old_events = (
        _calls(connection, customer, earlier, periods),
        _events(connection, customer, earlier, periods),
    )
    cells: dict[str, dict[tuple[Any, ...], list[Quantities]]] = {holding.root: {} for holding in held}
    for when, calls, events in ((0, old_calls, old_events), (1, new_calls, new_events)):
        for row in (*calls, *events):
            holding = roots.get(row["subscription"])
            if holding is not None:
                _pour(cells[holding.root], holding.meters, row, when)
    for row in new_calls:
        holding = roots.get(row["subscription"])
        if holding is not None and row["release"]:
            served = found[holding.root].calls
            served[row["release"]] = served.get(row["release"], 0) + int(row["calls"])
    for holding in held:
        mine = found[holding.root]
        mine.cells = tuple(_cell(key, sides) for key, sides in sorted(cells[holding.root].items()))
        if holding.unique_meters:
            wanted = {row["period"] for row in (*new_events, *old_events) if row["subscription"] in holding.spans}
            mine.distinct = _distinct(connection, holding, sorted(wanted | {micros(period)}), (start, end))
    return found


def _cell(key: tuple[Any, ...], sides: Sequence[Quantities]) -> Cell:
    period, meter, model, variant, state = key
    return Cell(moment(period), meter, model, variant, state, sides[0], sides[1])


def _pour(
    cells: dict[tuple[Any, ...], list[Quantities]], meters: Collection[str], row: Mapping[str, Any], when: int
) -> None:
    for meter, quantities in _quantities(row, meters):
        key = (row["period"], meter, row["model"], row["variant"], row["state"])
        sides = cells.setdefault(key, [Quantities(), Quantities()])
        sides[when] = _together(sides[when], quantities)


def _quantities(row: Mapping[str, Any], wanted: Collection[str]) -> list[tuple[str, Quantities]]:
    """The meters, of those ``wanted``, that a row of sums feeds.

    Calls feed all of theirs, be it with a sum of nothing: else a charge that counts them would count what a cut of the
    period happens to add up together.
    """
    if "meter" in row:
        if row["meter"] not in wanted:
            return []
        largest = exact(row["largest"], MILLIONTHS)
        return [
            (
                row["meter"],
                Quantities(int(row["n"]), exact(row["quantity"], MILLIONTHS), largest, int(row["amount_minor"])),
            )
        ]
    return [
        (meter, Quantities(int(row["n"]), exact(row[column], power)))
        for meter, (column, power) in CALL_COLUMNS.items()
        if meter in wanted
    ]


def _together(one: Quantities, other: Quantities) -> Quantities:
    return Quantities(
        one.n + other.n,
        shortest(one.sum + other.sum),
        max(one.largest, other.largest),
        one.amount + other.amount,
    )


def _calls(
    connection: Connection, customer: str, span: tuple[int, int], periods: Iterable[int] | None = None
) -> list[Mapping[str, Any]]:
    """Sums of billable calls booked in ``span``; by release too where they are new (``periods`` None)."""
    return _sums(connection, _NEW_CALLS if periods is None else _OLD_CALLS, customer, span, periods)


def _events(
    connection: Connection, customer: str, span: tuple[int, int], periods: Iterable[int] | None = None
) -> list[Mapping[str, Any]]:
    return _sums(connection, _NEW_EVENTS if periods is None else _OLD_EVENTS, customer, span, periods)


def _sums(
    connection: Connection,
    query: Select[Any],
    customer: str,
    span: tuple[int, int],
    periods: Iterable[int] | None,
) -> list[Mapping[str, Any]]:
    if span[0] >= span[1]:
        return []
    values: dict[str, Any] = {"owner": customer, "start": span[0], "end": span[1]}
    if periods is not None:
        values["periods"] = sorted(periods)
    return [dict(row) for row in connection.execute(query, values).mappings()]


def _query(table: Table, by: Sequence[str], sums: Sequence[str], *, earlier: bool) -> Select[Any]:
    """Made once: composing a statement costs more than running it."""
    columns: list[ColumnElement[Any]] = [func.sum(table.c[name]).label(name) for name in sums]
    if "largest" in table.c:
        columns.append(func.max(table.c.largest).label("largest"))
    query = select(*(table.c[name] for name in by), *columns).where(
        table.c.customer == bindparam("owner"),
        table.c.bucket >= bindparam("start"),
        table.c.bucket < bindparam("end"),
    )
    if "billable" in table.c:
        query = query.where(table.c.billable == 1)
    if earlier:
        query = query.where(table.c.period.in_(bindparam("periods", expanding=True)))
    return query.group_by(*(table.c[name] for name in by))


_CALL_SUMS = ("n", *(column for column, _ in CALL_COLUMNS.values()))
_EVENT_SUMS = ("n", "quantity", "amount_minor")
_NEW_CALLS = _query(call_rollups, (*_CELL, "release"), _CALL_SUMS, earlier=False)
_OLD_CALLS = _query(call_rollups, _CELL, _CALL_SUMS, earlier=True)
_NEW_EVENTS = _query(event_rollups, (*_CELL, "meter"), _EVENT_SUMS, earlier=False)
_OLD_EVENTS = _query(event_rollups, (*_CELL, "meter"), _EVENT_SUMS, earlier=True)


def _distinct(
    connection: Connection, holding: Holding, periods: Sequence[int], span: tuple[int, int]
) -> tuple[Distinct, ...]:
    """Different values over all spans of the root: a value counts where it was first booked."""
    first = (
        select(uniques.c.meter, uniques.c.period, func.min(uniques.c.bucket).label("first"))
        .where(
            uniques.c.subscription.in_(holding.spans),
            uniques.c.meter.in_(holding.unique_meters),
            uniques.c.period.in_(periods),
            uniques.c.bucket < span[1],
        )
        .group_by(uniques.c.meter, uniques.c.period, uniques.c.value)
        .subquery()
    )
    fresh = first.c.first >= span[0]
    query = (
        select(first.c.meter, first.c.period, fresh.label("fresh"), func.count())
        .group_by(first.c.meter, first.c.period, fresh)
        .order_by(first.c.period, first.c.meter)
    )
    counts: dict[tuple[int, str], list[int]] = {}
    for meter, period, new, n in connection.execute(query):
        counts.setdefault((period, meter), [0, 0])[int(bool(new))] = int(n)
    return tuple(Distinct(moment(period), meter, n[0], n[1]) for (period, meter), n in counts.items())


def kept(connection: Connection, customer: str, holding: Holding, period: Period) -> Kept:
    """What the outcomes booked in ``period`` say of a promise: nearest-rank p99 of wall time, failures on our side.

    A call refused for the caller's own fault (4xx) counts neither as served nor as failed; one that was released
    after a crash counts as failed.
    """
    mine = (
        (outcomes.c.customer == customer)
        & (outcomes.c.at >= micros(period.start))
        & (outcomes.c.at < micros(period.end))
        & outcomes.c.subscription.in_(holding.spans)
    )
    ours = (outcomes.c.status >= 500) | ((outcomes.c.status == 499) & (outcomes.c.code == RELEASED))
    good = (outcomes.c.status == 200) & (outcomes.c.code != REPLAYED)
    served = connection.scalar(select(func.count()).select_from(outcomes).where(mine, good)) or 0
    failed = connection.scalar(select(func.count()).select_from(outcomes).where(mine, ours)) or 0
    p99 = None
    if served:
        rank = -(-99 * served // 100)
        waits = select(outcomes.c.wall_us).where(mine, good).order_by(outcomes.c.wall_us)
        p99 = exact(connection.scalar(waits.offset(rank - 1).limit(1)), -3)
    return Kept(served + failed, failed, p99)
