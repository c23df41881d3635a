"""Raw rows against what they were added up to; the database does the adding, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Table, func, literal_column, or_, select, union_all

from modelmint.commerce.ledger.types import Finding
from modelmint.commerce.moments import moment
from modelmint.store.schema import call_rollups, closings, event_rollups, events, outcomes, uniques

DAY = 86_400_000_000
_CALL_SUMS = ("calls", "items", "pixels", "characters", "tokens", "compute_us", "explanations")
_EVENT_SUMS = ("quantity", "amount_minor")


def check(connection: Connection) -> list[Finding]:
    """The first group of calls, of events and of different values that does not come to its roll-up."""
    return [*_calls(connection), *_events(connection), *_largest(connection), *_uniques(connection), *_cuts(connection)]


def _text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(column, "")


def _day(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Written into the statement: PostgreSQL does not see that two parameters are one value."""
    return column // literal_column(str(DAY), BigInteger)


def _compare(
    connection: Connection, raw: Any, added: Any, names: Sequence[str], sums: Sequence[str], table: str
) -> list[Finding]:
    """``raw`` counts up, ``added`` counts down: every group must come to nothing."""
    both = union_all(raw, added).subquery()
    totals = [func.sum(both.c[name]).label(name) for name in sums]
    query = (
        select(*(both.c[name] for name in names), *totals)
        .group_by(*(both.c[name] for name in names))
        .having(or_(*(total != 0 for total in totals)))
        .order_by(*(both.c[name] for name in names))
        .limit(1)
    )
    found = []
    for row in connection.execute(query).mappings():
        of = ", ".join(f"{name} {_shown(name, row[name])}" for name in names if row[name] not in ("", None))
        by = ", ".join(f"{name} {int(row[name]):+}" for name in sums if row[name])
        found.append(Finding(table, of, f"the raw rows differ from it by {by}"))
    return found


def _shown(name: str, value: Any) -> str:
    if name == "day":
        return f"{moment(int(value) * DAY):%Y-%m-%d}"
    return str(moment(int(value))) if name == "period" else str(value)


def _calls(connection: Connection) -> list[Finding]:
    o, r = outcomes.c, call_rollups.c
    plain = ("customer", "key", "model", "state", "status", "code", "billable")
    raw = (
        select(
            *(o[name] for name in plain),
            *(_text(o[name]).label(name) for name in ("subscription", "variant", "release")),
            o.month.label("period"),
            _day(o.at).label("day"),
            func.count().label("n"),
            *(func.sum(o[name]).label(name) for name in _CALL_SUMS),
        )
        .group_by(*(o[name] for name in plain), o.subscription, o.variant, o.release, o.month, _day(o.at))
    )  # fmt: skip
    added = select(
        *(r[name] for name in plain),
        *(r[name] for name in ("subscription", "variant", "release")),
        r.period,
        _day(r.bucket).label("day"),
        (-r.n).label("n"),
        *((-r[name]).label(name) for name in _CALL_SUMS),
    )
    names = ("day", "customer", "subscription", "period", "key", "model", "variant", "release", "state", "status",
             "code", "billable")  # fmt: skip
    return _compare(connection, raw, added, names, ("n", *_CALL_SUMS), "call_rollups")


_EVENT_KEYS = ("customer", "meter", "model", "variant", "state", "key", "period")


def _events(connection: Connection) -> list[Finding]:
    e, r = events.c, event_rollups.c
    raw = select(
        *(e[name] for name in _EVENT_KEYS),
        _text(e.subscription).label("subscription"),
        _day(e.at).label("day"),
        func.count().label("n"),
        func.sum(e.quantity).label("quantity"),
        func.sum(func.coalesce(e.amount_minor, 0)).label("amount_minor"),
    ).group_by(*(e[name] for name in _EVENT_KEYS), e.subscription, _day(e.at))
    added = select(
        *(r[name] for name in _EVENT_KEYS),
        r.subscription,
        _day(r.bucket).label("day"),
        (-r.n).label("n"),
        *((-r[name]).label(name) for name in _EVENT_SUMS),
    )
    return _compare(connection, raw, added, ("day", "subscription", *_EVENT_KEYS), ("n", *_EVENT_SUMS), "event_rollups")


def _largest(connection: Connection) -> list[Finding]:
    """The largest single quantity, which no sum can check."""
    e, r = events.c, event_rollups.c
    raw = select(
        *(e[name] for name in _EVENT_KEYS),
        _text(e.subscription).label("subscription"),
        _day(e.at).label("day"),
        func.max(e.quantity).label("largest"),
    ).group_by(*(e[name] for name in _EVENT_KEYS), e.subscription, _day(e.at))
    added = select(
        *(r[name] for name in _EVENT_KEYS),
        r.subscription,
        _day(r.bucket).label("day"),
        (-func.max(r.largest)).label("largest"),
    ).group_by(*(r[name] for name in _EVENT_KEYS), r.subscription, _day(r.bucket))
    return _compare(connection, raw, added, ("day", "subscription", *_EVENT_KEYS), ("largest",), "event_rollups")


def _uniques(connection: Connection) -> list[Finding]:
    names = ("subscription", "meter", "period", "value")
    e = events.c
    raw = select(_text(e.subscription), e.meter, e.period, e.value).where(e.value.is_not(None)).distinct()
    kept = select(*(uniques.c[name] for name in names))
    for left, right, problem in (
        (raw, kept, "this value came in an event and is not counted"),
        (kept, raw, "this value is counted and came in no event"),
    ):
        row = connection.execute(left.except_(right).limit(1)).first()
        if row is not None:
            return [Finding("uniques", ", ".join(str(cell) for cell in row), problem)]
    return []


def _cuts(connection: Connection) -> list[Finding]:
    """A closing inside a day: what was booked before it stands in buckets before it."""
    cut = select(closings.c.seq, closings.c.customer, closings.c.ends_at).where(closings.c.ends_at % DAY != 0)
    for seq, customer, end in connection.execute(cut.order_by(closings.c.seq)).all():
        midnight = end - end % DAY
        pairs: tuple[tuple[Table, str, Any], ...] = (
            (outcomes, "at", func.count()),
            (call_rollups, "bucket", func.coalesce(func.sum(call_rollups.c.n), 0)),
            (events, "at", func.count()),
            (event_rollups, "bucket", func.coalesce(func.sum(event_rollups.c.n), 0)),
        )
        counted = [
            int(
                connection.scalar(
                    select(total).select_from(table).where(
                        table.c.customer == customer, table.c[time] >= midnight, table.c[time] < end
                    )
                )
                or 0
            )
            for table, time, total in pairs
        ]  # fmt: skip
        if counted[0] != counted[1] or counted[2] != counted[3]:
            return [
                Finding("closings", f"{seq} ({customer})", "roll-ups of its last day lie on the other side of its end")
            ]
    return []
