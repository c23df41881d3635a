"""What customers hold, as rows of ``subscriptions``, and the edits that ``commerce.billing.contracts`` asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from modelmint.commerce.billing.contracts import Edits
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Subscription
from modelmint.kit.ids import new_id
from modelmint.kit.period import billing_period
from modelmint.store.leases import recall
from modelmint.store.schema import subscriptions

#: Month of the counters of a span that has not begun: the hot path fills them in when it begins (see batch.py).
NOT_BEGUN = -1
_COUNTERS = ("lifetime_calls", "since", "month", "month_calls", "next_call")


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
        start = micros(span.starts_at)
        connection.execute(
            subscriptions.insert().values(
                id=new_id("sub"),
                customer=customer,
                plan=span.plan,
                plan_version=span.plan_version,
                starts_at=start,
                ends_at=None if span.ends_at is None else micros(span.ends_at),
                root=span.root or None,
                state=span.state,
                **_counters(connection, customer, span, anchor, now),
            )
        )


def _counters(connection: Connection, customer: str, span: Subscription, anchor: int, now: int) -> dict[str, int]:
    """Where the plan's last span stopped; nothing of it is known yet where the span begins later."""
    start = micros(span.starts_at)
    fresh = {"lifetime_calls": 0, "since": start, "month": NOT_BEGUN, "month_calls": 0, "next_call": 0}
    if start > now + 1:
        return fresh
    begun = [row for row in _rows(connection, customer) if row["plan"] == span.plan and row["month"] != NOT_BEGUN]
    if begun:
        last = max(begun, key=lambda row: (row["starts_at"], row["seq"]))
        return {name: last[name] for name in _COUNTERS}
    return {**fresh, "month": micros(billing_period(span.starts_at, anchor).start)}


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
