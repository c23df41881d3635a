"""Plan versions, which of them are on sale, and who holds which."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select, update

from modelmint.commerce.documents.plan_json import from_json, to_json
from modelmint.commerce.errors import UnknownPlan
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Plan, Subscription
from modelmint.kit.canonical import canonical_json
from modelmint.kit.ids import new_id
from modelmint.kit.period import month_of
from modelmint.kit.registry import nearest
from modelmint.store.schema import closings, offers, plans, subscriptions


def is_on_sale(connection: Connection, wanted: Sequence[Plan]) -> bool:
    """Whether the versions in ``wanted`` are on sale, and no other plan is."""
    return _on_sale(connection) == {plan.name: plan.version for plan in wanted}


def put_plans(connection: Connection, wanted: Sequence[Plan], now: int) -> None:
    """Store unknown versions, offer the given ones, withdraw every other plan; who holds one keeps it.

    A version that is on sale already is left alone. Going back to former terms offers their old version again.
    """
    on_sale = _on_sale(connection)
    for plan in wanted:
        known = select(plans.c.version).where(plans.c.name == plan.name, plans.c.version == plan.version)
        if not connection.execute(known).first():
            body = canonical_json(to_json(plan)).decode()
            connection.execute(plans.insert().values(name=plan.name, version=plan.version, body=body, at=now))
        if on_sale.get(plan.name) != plan.version:
            connection.execute(offers.insert().values(name=plan.name, version=plan.version, at=now))
    for name in on_sale.keys() - {plan.name for plan in wanted}:
        connection.execute(offers.insert().values(name=name, version=None, at=now))


def _on_sale(connection: Connection) -> dict[str, str]:
    return {plan.name: plan.version for plan in all_plans(connection)}


def all_plans(connection: Connection) -> list[Plan]:
    """The version on sale of each plan that is, in the order in which the plans first came."""
    newest = select(func.max(offers.c.seq)).group_by(offers.c.name)
    first = select(offers.c.name, func.min(offers.c.seq).label("first")).group_by(offers.c.name).subquery()
    query = (
        select(plans.c.body)
        .join(offers, (offers.c.name == plans.c.name) & (offers.c.version == plans.c.version))
        .join(first, first.c.name == plans.c.name)
        .where(offers.c.seq.in_(newest))
        .order_by(first.c.first)
    )
    return [_plan(body) for body in connection.scalars(query)]


def plan(connection: Connection, name: str, version: str | None) -> Plan:
    """The given version, or the one on sale; raises ``UnknownPlan``."""
    if version is not None:
        query = select(plans.c.body).where(plans.c.name == name, plans.c.version == version)
    else:
        newest = select(func.max(offers.c.seq)).where(offers.c.name == name).scalar_subquery()
        query = (
            select(plans.c.body)
            .join(offers, (offers.c.name == plans.c.name) & (offers.c.version == plans.c.version))
            .where(offers.c.seq == newest)
        )
    body = connection.scalar(query)
    if body is None:
        raise _unknown(connection, name, version)
    return _plan(body)


def _unknown(connection: Connection, name: str, version: str | None) -> UnknownPlan:
    known = sorted(connection.scalars(select(plans.c.name).distinct()))
    on_sale = list(_on_sale(connection))
    close = nearest(name, known if version is not None else on_sale)
    hint = f" Did you mean {close!r}?" if close and close != name else ""
    if version is not None:
        found = f"there is no version {version!r} of plan {name!r}."
    elif name in known:
        found = f"the plan {name!r} is not on sale any more; who holds it keeps it."
    else:
        found = f"there is no plan {name!r}."
    return UnknownPlan(f"{found}{hint} Plans on sale: {', '.join(on_sale) or 'none'}")


def subscribe(connection: Connection, customer: str, chosen: Plan, now: int) -> Subscription:
    """Hold ``chosen`` from now on. Holding it already changes nothing.

    What was used of the same plan before stays used: a trial is not renewed by taking it twice.
    """
    earlier = list(_rows(connection, customer))
    current = next((row for row in reversed(earlier) if row["ends_at"] is None), None)
    if current is not None and (current["plan"], current["plan_version"]) == (chosen.name, chosen.version):
        return subscription_from(current)
    closed = connection.scalar(select(func.max(closings.c.ends_at)).where(closings.c.customer == customer))
    # Never inside a closed period and never before the former one, whatever the clock says.
    start = max(now, closed or 0, *(row["ends_at"] or row["starts_at"] for row in earlier)) if earlier else now
    same = next((row for row in reversed(earlier) if row["plan"] == chosen.name), None)
    row = {
        "id": new_id("sub"),
        "customer": customer,
        "plan": chosen.name,
        "plan_version": chosen.version,
        "starts_at": start,
        "ends_at": None,
        "lifetime_calls": 0 if same is None else same["lifetime_calls"],
        "since": start if same is None else same["since"],
        "month": micros(month_of(moment(start)).start) if same is None else same["month"],
        "month_calls": 0 if same is None else same["month_calls"],
        "next_call": 0 if same is None else same["next_call"],
    }
    if current is not None:
        connection.execute(update(subscriptions).where(subscriptions.c.id == current["id"]).values(ends_at=start))
    connection.execute(subscriptions.insert().values(row))
    return subscription_from(row)


def subscriptions_of(connection: Connection, customer: str) -> list[Subscription]:
    """Oldest first."""
    return [subscription_from(row) for row in _rows(connection, customer)]


def _rows(connection: Connection, customer: str) -> Sequence[Any]:
    query = select(subscriptions).where(subscriptions.c.customer == customer).order_by(subscriptions.c.seq)
    return connection.execute(query).mappings().all()


def subscription_from(row: Any) -> Subscription:
    """A row of ``subscriptions``."""
    return Subscription(
        id=row["id"],
        customer=row["customer"],
        plan=row["plan"],
        plan_version=row["plan_version"],
        starts_at=moment(row["starts_at"]),
        ends_at=None if row["ends_at"] is None else moment(row["ends_at"]),
    )


def _plan(body: str) -> Plan:
    return from_json(json.loads(body))
