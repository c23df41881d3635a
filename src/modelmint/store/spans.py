"""What customers hold, as rows of ``subscriptions``, and the edits that ``commerce.billing.contracts`` asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select, update

from modelmint.commerce.billing.contracts import Edits
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Subscription
from modelmint.kit.ids import new_id
from modelmint.kit.period import billing_period
from modelmint.store.leases import recall
from modelmint.store.schema import subscriptions

#: Month of the counters of a span that had no call yet: the hot path fills them in then (see counts.py).
NOT_BEGUN = -1


def of_customer(connection: Connection, customer: str) -> list[Subscription]:
    """Oldest first; spans that were given up before they began are left out."""
    found = [subscription_from(row) for row in _rows(connection, customer)]
    return [span for span in found if span.ends_at is None or span.ends_at > span.starts_at]


def apply(connection: Connection, customer: str, edits: Edits, anchor: int, now: int) -> None:
    """Move ends, and begin what begins.

    What was used of the same plan before stays used: a trial is not renewed by taking it twice.
    """
    for name, end in edits.ends:
        ends_at = None if end is None else micros(end)
        connection.execute(update(subscriptions).where(subscriptions.c.id == name).values(ends_at=ends_at))
    recall(connection, customer)
    span = edits.begins
    if span is not None:
        counters = _counters(connection, customer, span, anchor, now)
        connection.execute(subscriptions.insert().values(**_columns(span, new_id("sub")), **counters))


def edited(rows: Iterable[Any], edits: Edits) -> Iterator[Mapping[str, Any]]:
    """Rows of one customer as ``apply`` would leave them, without the counters."""
    ends = dict(edits.ends)
    for row in rows:
        if row["id"] in ends:
            end = ends[row["id"]]
            yield {**row, "ends_at": None if end is None else micros(end)}
        else:
            yield row
    if edits.begins is not None:
        yield _columns(edits.begins, "")


def _columns(span: Subscription, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "customer": span.customer,
        "plan": span.plan,
        "plan_version": span.plan_version,
        "starts_at": micros(span.starts_at),
        "ends_at": None if span.ends_at is None else micros(span.ends_at),
        "root": span.root or None,
        "state": span.state,
    }


def _counters(connection: Connection, customer: str, span: Subscription, anchor: int, now: int) -> dict[str, int]:
    """Those of a plan that was never held before; else the hot path looks where its last span stopped.

    It looks when the first call comes, so that quota which was lent and is given back just now is not lost.
    """
    start = micros(span.starts_at)
    known = any(row["plan"] == span.plan for row in _rows(connection, customer))
    # A closing until now ends a microsecond ahead of now: what begins there begins now.
    later = start > now + 1
    month = NOT_BEGUN if known or later else micros(billing_period(span.starts_at, anchor).start)
    return {"lifetime_calls": 0, "since": start, "month": month, "month_calls": 0, "next_call": 0}


def begun_since(connection: Connection, customer: str, since: int) -> int:
    """How many spans begin then or later, those that were given up before they began among them."""
    own = subscriptions.c
    query = select(func.count()).where(own.customer == customer, own.starts_at >= since)
    return connection.scalar(query) or 0


def lifetime_calls(connection: Connection, row: Any) -> int:
    """Calls counted on the plan so far, as admission sees them: of a span without a call, those of the one before."""
    if row["month"] != NOT_BEGUN:
        return int(row["lifetime_calls"])
    before = [
        other
        for other in _rows(connection, row["customer"])
        if other["plan"] == row["plan"] and other["month"] != NOT_BEGUN
    ]
    return int(max(before, key=lambda other: (other["starts_at"], other["seq"]))["lifetime_calls"]) if before else 0


def _rows(connection: Connection, customer: str) -> Sequence[Any]:
    query = select(subscriptions).where(subscriptions.c.customer == customer)
    return connection.execute(query.order_by(subscriptions.c.starts_at, subscriptions.c.seq)).mappings().all()


def subscription_from(row: Any) -> Subscription:
    """A row of ``subscriptions``."""
    return Subscription(
        id=row["id"],
        customer=row["customer"],
        plan=row["plan"],
        plan_version=row["plan_version"],
        starts_at=moment(row["starts_at"]),
        ends_at=None if row["ends_at"] is None else moment(row["ends_at"]),
        root=row["root"] or row["id"],
        state=row["state"],
    )
