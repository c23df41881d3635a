"""Forgetting a person: personal data goes out of every table, figures stay, the books verify as before.

What the books keep holds ids only; names lie in ``customers`` and ``parties``. What customers put into usage events may
name people too: of an erased customer's events time, quantity and amount stay, and the names of meter, model, variant
and state, which are no free text (see ``commerce.metering.fields``); nothing else. The database's triggers let exactly
that change through, and only for a customer who is erased. Of feedback the labels and thumbs stay; comments go, with
the digests of what was said. Stored inputs are files: ``operations.erase`` takes them away.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, or_, select, update

from modelmint.commerce.metering.cloudevents import USAGE
from modelmint.commerce.moments import moment
from modelmint.commerce.people.errors import ErasureWaits
from modelmint.commerce.people.types import INPUTS, Erasure
from modelmint.commerce.types import Customer
from modelmint.kit.digest import digest_bytes
from modelmint.store import bills, consents, grants, invoices
from modelmint.store.history import note
from modelmint.store.leases import recall
from modelmint.store.owed import owed
from modelmint.store.schema import (
    call_rollups,
    closings,
    customers,
    deliveries,
    endpoints,
    event_rollups,
    events,
    idempotency,
    keys,
    parties,
    partners,
    payment_customers,
    remarks,
    subscriptions,
    uniques,
)

#: Tables in which personal data lay.
HELD = (
    "customers", "parties", "keys", "endpoints", "deliveries", "idempotency", "payment_customers", "events", "uniques",
    "remarks",
)  # fmt: skip
#: Rows that one statement changes; bounds what is held in memory.
CHUNK = 5000


def erase(connection: Connection, found: Customer, now: int, *, force: bool) -> Erasure:
    """Raises ``ErasureWaits`` where something is open, unless forced; nothing is changed then."""
    if found.erased_at is not None:
        return Erasure(found.id, found.name, found.erased_at, 0, 0, 0, 0, scrubbed=False)
    waits = [] if force else list(_waits(connection, found.id))
    if waits:
        raise ErasureWaits(
            f"{found.id} cannot be erased yet; settle what is open, or force it and it is billed to the pseudonym",
            problems=waits,
        )
    pseudonym = f"erased-{found.id[-12:]}"
    _rename(connection, found.id, pseudonym, now)
    ended = _end(connection, found.id, now)
    heard = _unhear(connection, found.id, now)
    answers = connection.execute(delete(idempotency).where(idempotency.c.customer == found.id)).rowcount
    connection.execute(delete(payment_customers).where(payment_customers.c.customer == found.id))
    emptied = _empty_events(connection, found.id)
    said = connection.execute(delete(remarks).where(remarks.c.customer == found.id)).rowcount
    consents.set_to(connection, found.id, INPUTS, False, now)
    figures = {"keys": ended, "endpoints": heard, "events": emptied, "answers": answers, "remarks": said}
    figures |= {"forced": force}
    note(connection, "customer.erased", found.id, now, figures)
    return Erasure(found.id, pseudonym, moment(now), ended, heard, emptied, answers, scrubbed=False)


def _waits(connection: Connection, customer: str) -> Iterator[str]:
    """What speaks against it, in words."""
    closed = connection.scalar(select(func.max(closings.c.ends_at)).where(closings.c.customer == customer)) or 0
    held = subscriptions.c
    still = or_(held.ends_at.is_(None), held.ends_at > closed)
    for plan in connection.scalars(select(held.plan).where(held.customer == customer, still).distinct()):
        yield f"the plan {plan!r} is held or not billed to its end: plans cancel, then invoices close --until-now"
    calls, reported = call_rollups.c, event_rollups.c
    unbilled = (
        connection.execute(
            select(calls.bucket).where(calls.customer == customer, calls.billable == 1, calls.bucket >= closed).limit(1)
        ).first()
        or connection.execute(
            select(reported.bucket).where(reported.customer == customer, reported.bucket >= closed).limit(1)
        ).first()
    )
    if unbilled:
        yield "usage is not billed yet: invoices close --until-now"
    yield from _owed(connection, customer)
    for balance in grants.left_of(connection, customer):
        if balance.left.minor > 0 and (balance.expires_at is None or balance.expires_at > moment(closed)):
            yield f"{balance.left} of prepaid credit is left ({balance.id})"
    if connection.execute(select(partners.c.id).where(partners.c.customer == customer)).first():
        yield "it is a partner: its customers and statements stay under the pseudonym"


def _owed(connection: Connection, customer: str) -> Iterator[str]:
    given_up = {name for name, status in bills.statuses(connection, customer).items() if status == "uncollectible"}
    for invoice in invoices.every(connection, customer):
        left = owed(connection, invoice)
        if left.minor > 0 and invoice.id not in given_up:
            yield f"invoice {invoice.number}: {left} is not paid"


def _rename(connection: Connection, customer: str, pseudonym: str, now: int) -> None:
    gone = {"email": "", "address": "", "tax_id": ""}
    connection.execute(
        update(customers).where(customers.c.id == customer).values(name=pseudonym, label=None, erased_at=now, **gone)
    )
    connection.execute(update(parties).where(parties.c.customer == customer).values(name=pseudonym, **gone))


def _end(connection: Connection, customer: str, now: int) -> int:
    """Keys and plans end; what keys were called goes too. How many keys were valid."""
    revoked = connection.execute(
        update(keys).where(keys.c.customer == customer, keys.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    connection.execute(update(keys).where(keys.c.customer == customer).values(name="erased"))
    own = subscriptions.c
    connection.execute(
        update(subscriptions).where(own.customer == customer, own.starts_at > now).values(ends_at=own.starts_at)
    )
    open_ended = or_(own.ends_at.is_(None), own.ends_at > now)
    connection.execute(
        update(subscriptions).where(own.customer == customer, own.starts_at <= now, open_ended).values(ends_at=now)
    )
    recall(connection, customer)
    return revoked.rowcount


def _unhear(connection: Connection, customer: str, now: int) -> int:
    """Webhook endpoints go, with what they answered."""
    own = select(endpoints.c.id).where(endpoints.c.owner == customer)
    to_them = deliveries.c.endpoint.in_(own)
    connection.execute(update(deliveries).where(to_them).values(last_error="", next_at=None))
    waiting = deliveries.c.state == "waiting"
    connection.execute(update(deliveries).where(to_them, waiting).values(state="given_up", done_at=now))
    return connection.execute(delete(endpoints).where(endpoints.c.owner == customer)).rowcount


def _empty_events(connection: Connection, customer: str) -> int:
    """Sources, names, types, subjects, values and data of events go; different values stay different, so counts stand.

    The salt is random and kept nowhere, so that nobody can try likely values.
    """
    salt = secrets.token_bytes(32)

    def hidden(value: str | None) -> str | None:
        return None if value is None else "erased-" + digest_bytes(salt + value.encode())[:32]

    changed = 0
    told = select(events.c.seq, events.c.id, events.c.source, events.c.value).where(events.c.customer == customer)
    change = (
        update(events)
        .where(events.c.seq == bindparam("row"))
        .values(
            source=bindparam("at_source"),
            id=bindparam("at_id"),
            value=bindparam("at_value"),
            type=USAGE,
            subject="",
            data="{}",
            digest="",
        )
    )
    for rows in _chunks(connection, told, events.c.seq):
        new = [
            {
                "row": row.seq,
                "at_source": hidden(row.source),
                "at_id": hidden(row.id),
                "at_value": hidden(row.value),
            }
            for row in rows
        ]
        connection.execute(change, new)
        changed += len(new)
    _hide_uniques(connection, customer, hidden)
    return changed


def _hide_uniques(connection: Connection, customer: str, hidden: Callable[[str | None], str | None]) -> None:
    own = select(subscriptions.c.id).where(subscriptions.c.customer == customer)
    rows = connection.execute(select(uniques).where(uniques.c.subscription.in_(own))).all()
    change = (
        update(uniques)
        .where(
            uniques.c.subscription == bindparam("of"),
            uniques.c.meter == bindparam("fed"),
            uniques.c.period == bindparam("within"),
            uniques.c.value == bindparam("former"),
        )
        .values(value=bindparam("new"))
    )
    changes = [
        {"of": row.subscription, "fed": row.meter, "within": row.period, "former": row.value, "new": hidden(row.value)}
        for row in rows
    ]
    for begin in range(0, len(changes), CHUNK):
        connection.execute(change, changes[begin : begin + CHUNK])


def _chunks(connection: Connection, query: Any, place: ColumnElement[int]) -> Iterator[Sequence[Any]]:
    """The rows of ``query`` by their place, so many at a time; they may be changed meanwhile."""
    last = -1
    while True:
        rows = connection.execute(query.where(place > last).order_by(place).limit(CHUNK)).all()
        if not rows:
            return
        last = rows[-1].seq
        yield rows
