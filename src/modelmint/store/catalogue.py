"""Plan versions, and which of them are on sale when."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from modelmint.commerce import offers as rules
from modelmint.commerce.documents.plan_json import from_json, to_json
from modelmint.commerce.errors import BadPlan, PlanInFile, UnknownPlan
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Offer, Plan, PlanVersion
from modelmint.kit.canonical import canonical_json
from modelmint.kit.registry import nearest
from modelmint.store import history
from modelmint.store.schema import offers, plans, subscriptions


def changes(
    connection: Connection, wanted: Sequence[Plan], effective: Mapping[str, datetime], origin: str, now: int
) -> list[Offer]:
    """What ``put_plans`` would write; raises ``PlanInFile`` where the API would overrule the venture file."""
    known = all_offers(connection)
    if origin == rules.API:
        _refuse_filed(known, [plan.name for plan in wanted])
        _refuse_mixed(connection, wanted, now)
    return rules.changes(known, wanted, effective, origin, moment(now))


def put_plans(
    connection: Connection, wanted: Sequence[Plan], effective: Mapping[str, datetime], origin: str, now: int
) -> None:
    """Store unknown versions and offer them; from the file: withdraw what it leaves out. Who holds one keeps it.

    A version that is on sale already is left alone. Going back to former terms offers their old version again.
    """
    for plan in wanted:
        keep(connection, plan, now)
    _write(connection, changes(connection, wanted, effective, origin, now), now)


def keep(connection: Connection, plan: Plan, now: int) -> None:
    """Store a version that is not known yet; that offers it to nobody."""
    known = select(plans.c.version).where(plans.c.name == plan.name, plans.c.version == plan.version)
    if not connection.execute(known).first():
        body = canonical_json(to_json(plan)).decode()
        connection.execute(plans.insert().values(name=plan.name, version=plan.version, body=body, at=now))


def withdraw(connection: Connection, name: str, now: int) -> None:
    """Take a plan off sale, now and as planned; raises ``UnknownPlan`` where it is not, ``PlanInFile``."""
    known = [offer for offer in all_offers(connection) if offer.name == name]
    planned = [offer for offer in known if offer.effective_at is not None and micros(offer.effective_at) > now]
    if rules.standing(known, moment(now)) is None and not any(offer.version for offer in planned):
        raise _unknown(connection, name, None, now)
    _refuse_filed(known, [name])
    _write(connection, rules.withdrawal(known, moment(now)), now)


def _refuse_filed(known: Sequence[Offer], names: Sequence[str]) -> None:
    """What the venture file states is changed there: the next start would put it back."""
    newest = {offer.name: offer for offer in known}
    filed = [name for name in names if name in newest and newest[name].origin == rules.FILE and newest[name].version]
    if filed:
        raise PlanInFile(
            f"the venture file states {', '.join(filed)}; change [plans.{filed[0]}] there, or name another"
        )


def _refuse_mixed(connection: Connection, wanted: Sequence[Plan], now: int) -> None:
    """One venture, one currency, as in the venture file."""
    names = {plan.name for plan in wanted}
    others = (other.currency for other in all_plans(connection, now) if other.name not in names)
    expected = next((currency for currency in others if currency is not None), None)
    for plan in wanted:
        if expected is not None and plan.currency not in (None, expected):
            raise BadPlan(
                f"one venture, one currency: expected {expected} as elsewhere, found {plan.currency} in {plan.name}"
            )


def _write(connection: Connection, added: Sequence[Offer], now: int) -> None:
    for offer in added:
        effective = None if offer.effective_at is None else micros(offer.effective_at)
        connection.execute(
            offers.insert().values(
                name=offer.name, version=offer.version, at=micros(offer.at), effective_at=effective, origin=offer.origin
            )
        )
        said = {"plan": offer.name, "version": offer.version, "effective_at": effective and offer.effective_at}
        history.note(connection, "plan.offered" if offer.version else "plan.withdrawn", offer.name, now, said)
        history.tell(connection, "plan.changed", None, said, now)


def all_offers(connection: Connection) -> list[Offer]:
    """In the order of writing."""
    return [
        Offer(
            name=row["name"],
            version=row["version"],
            at=moment(row["at"]),
            effective_at=None if row["effective_at"] is None else moment(row["effective_at"]),
            origin=row["origin"],
        )
        for row in connection.execute(select(offers).order_by(offers.c.seq)).mappings()
    ]


def all_plans(connection: Connection, now: int) -> list[Plan]:
    """The version on sale of each plan that is, in the order in which the plans first came."""
    wanted = rules.on_sale(all_offers(connection), moment(now))
    query = select(plans.c.name, plans.c.version, plans.c.body).where(plans.c.name.in_(list(wanted)))
    bodies = {(row.name, row.version): row.body for row in connection.execute(query)}
    return [_plan(bodies[named]) for named in wanted.items()]


def plan(connection: Connection, name: str, version: str | None, now: int | None = None) -> Plan:
    """The given version, or the one on sale at ``now``; raises ``UnknownPlan``."""
    wanted = version
    if wanted is None and now is not None:
        wanted = rules.on_sale(all_offers(connection), moment(now)).get(name)
    body = connection.scalar(select(plans.c.body).where(plans.c.name == name, plans.c.version == wanted))
    if body is None:
        raise _unknown(connection, name, version, now or 0)
    return _plan(body)


def versions(connection: Connection, now: int, name: str | None = None) -> list[PlanVersion]:
    """Every version ever stored, plan by plan, oldest first."""
    known = all_offers(connection)
    at = moment(now)
    selling = rules.on_sale(known, at)
    query = select(subscriptions.c.customer, subscriptions.c.plan, subscriptions.c.plan_version).where(
        subscriptions.c.starts_at <= now, subscriptions.c.ends_at.is_(None) | (subscriptions.c.ends_at > now)
    )
    holders = Counter((row.plan, row.plan_version) for row in connection.execute(query))
    found = []
    for row in connection.execute(select(plans).order_by(plans.c.at, plans.c.name)).mappings():
        if name is not None and row["name"] != name:
            continue
        mine = [offer for offer in known if (offer.name, offer.version) == (row["name"], row["version"])]
        found.append(
            PlanVersion(
                plan=_plan(row["body"]),
                stored_at=moment(row["at"]),
                on_sale=selling.get(row["name"]) == row["version"],
                effective_at=rules.planned(known, row["name"], row["version"], at),
                origin=mine[-1].origin if mine else rules.FILE,
                holders=holders[row["name"], row["version"]],
            )
        )
    if name is not None and not found:
        raise _unknown(connection, name, None, now)
    return found


def _unknown(connection: Connection, name: str, version: str | None, now: int) -> UnknownPlan:
    known = sorted(connection.scalars(select(plans.c.name).distinct()))
    on_sale = list(rules.on_sale(all_offers(connection), moment(now)))
    close = nearest(name, known if version is not None else on_sale)
    hint = f" Did you mean {close!r}?" if close and close != name else ""
    if version is not None:
        found = f"there is no version {version!r} of plan {name!r}."
    elif name in known:
        found = f"the plan {name!r} is not on sale any more; who holds it keeps it."
    else:
        found = f"there is no plan {name!r}."
    return UnknownPlan(f"{found}{hint} Plans on sale: {', '.join(on_sale) or 'none'}")


def _plan(body: Any) -> Plan:
    return from_json(json.loads(body))
