"""Endpoints, messages, deliveries.

Messages are written by ``history.tell`` with what they tell of. ``dispatch`` walks behind them in the order of
``seq`` under the lock that excludes every other writer, so that none with a lower number can appear later.
"""

from __future__ import annotations

import json
import secrets as chance
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select, update

from modelmint.commerce.moments import micros, moment
from modelmint.commerce.webhooks.addresses import checked_url
from modelmint.commerce.webhooks.backoff import wait_after
from modelmint.commerce.webhooks.errors import PrivateAddress, TooManyEndpoints, UnknownEndpoint
from modelmint.commerce.webhooks.kinds import FOUNDER, TEST, checked_kinds, hears
from modelmint.commerce.webhooks.signing import new_secret
from modelmint.commerce.webhooks.types import NO_PLACE, Delivery, Endpoint, Message, Parcel, Receipt
from modelmint.kit.clock import Clock
from modelmint.kit.ids import new_id
from modelmint.store.database import Database
from modelmint.store.endpoints import disable_endpoint, endpoint_of, found_endpoint, names_this_side, valid_secrets
from modelmint.store.history import note, tell
from modelmint.store.purging import missing, purge
from modelmint.store.schema import deliveries, endpoints, messages, meta

#: How many endpoints that work one owner may have: each multiplies what we send.
MOST_OF_A_CUSTOMER, MOST_OF_THE_FOUNDER = 16, 256
LONGEST_ERROR = 200
#: Name of the row that holds the number of the last message dispatched.
CURSOR = "outbox"


class SqlOutbox:
    """``commerce.webhooks.repository.Outbox`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def add_endpoint(
        self, owner: str, url: str, kinds: Sequence[str] = (), *, private: bool = False
    ) -> tuple[Endpoint, str]:
        ours = owner == FOUNDER or private
        host = checked_url(url, encrypted=not ours).hostname or ""
        wanted = checked_kinds(kinds, owner)
        if not ours and names_this_side(host):
            raise PrivateAddress(f"expected a host on the public internet, found {host!r}")
        now, secret = self._now(), new_secret()
        row: dict[str, Any] = {
            "id": new_id("wh"),
            "owner": owner,
            "url": url,
            "secret": secret,
            "kinds": " ".join(wanted),
            "created_at": now,
            "disabled_at": None,
        }
        with self._database.write() as connection:
            held = select(func.count()).where(endpoints.c.owner == owner, endpoints.c.disabled_at.is_(None))
            most = MOST_OF_THE_FOUNDER if owner == FOUNDER else MOST_OF_A_CUSTOMER
            if (connection.scalar(held) or 0) >= most:
                raise TooManyEndpoints(f"{most} webhooks are the most that one may have; remove one first")
            connection.execute(endpoints.insert().values(row))
            note(connection, "webhook.added", row["id"], now, {"owner": owner, "kinds": wanted})
        return endpoint_of(row), secret

    def endpoints(self, owner: str | None = None) -> list[Endpoint]:
        query = select(endpoints).order_by(endpoints.c.seq)
        if owner is not None:
            query = query.where(endpoints.c.owner == owner)
        with self._database.read() as connection:
            return [endpoint_of(row) for row in connection.execute(query).mappings()]

    def disable(self, endpoint: str, owner: str | None = None) -> Endpoint:
        now = self._now()
        with self._database.write() as connection:
            found = found_endpoint(connection, endpoint, owner)
            if found["disabled_at"] is None:
                disable_endpoint(connection, endpoint, now, "removed")
            return endpoint_of(found_endpoint(connection, endpoint, owner))

    def rotate_secret(
        self, endpoint: str, owner: str | None = None, overlap: timedelta = timedelta(days=1)
    ) -> tuple[Endpoint, str]:
        now, secret = self._now(), new_secret()
        until = now + micros_of(overlap)
        with self._database.write() as connection:
            former = found_endpoint(connection, endpoint, owner)
            change = {"secret": secret, "former_secret": former["secret"], "former_until": until}
            connection.execute(update(endpoints).where(endpoints.c.id == endpoint).values(change))
            note(connection, "webhook.secret_rotated", endpoint, now, {"former_until": moment(until)})
        return endpoint_of(former), secret

    def dispatch(self) -> int:
        with self._database.read() as connection:  # looking costs nobody his turn
            if (connection.scalar(select(func.max(messages.c.seq))) or 0) <= _cursor(connection):
                return 0
        with self._database.write() as connection:
            new = _told(connection, messages.c.seq > _cursor(connection))
            if not new:  # another process was faster
                return 0
            for row in new:
                _deliver(connection, row, self._now(), since=True)
            _advance(connection, int(new[-1]["seq"]))
            return len(new)

    def due(self, busy: Sequence[str] = (), per_endpoint: int = 50) -> list[Parcel]:
        now = self._now()
        place = func.row_number().over(
            partition_by=deliveries.c.endpoint, order_by=(deliveries.c.next_at, deliveries.c.seq)
        )
        waiting = (
            select(deliveries.c.id, place.label("place"))
            .where(deliveries.c.state == "waiting", deliveries.c.next_at <= now, deliveries.c.endpoint.not_in(busy))
            .subquery()
        )
        with self._database.read() as connection:
            query = (
                select(deliveries.c.id.label("delivery"), deliveries.c.message, deliveries.c.attempts, endpoints)
                .join(waiting, and_(waiting.c.id == deliveries.c.id, waiting.c.place <= per_endpoint))
                .join(endpoints, and_(endpoints.c.id == deliveries.c.endpoint, endpoints.c.disabled_at.is_(None)))
                .order_by(deliveries.c.next_at, deliveries.c.seq)
            )
            rows = connection.execute(query).mappings().all()
            wanted = {row["message"] for row in rows}
            told = {row["id"]: _message(row) for row in _told(connection, messages.c.id.in_(wanted))}
        return [
            Parcel(row["delivery"], told[row["message"]], endpoint_of(row), valid_secrets(row, now), row["attempts"])
            for row in rows
        ]

    def record(self, receipts: Sequence[Receipt]) -> None:
        if not receipts:
            return
        now = self._now()
        with self._database.write() as connection:
            for receipt in receipts:
                _record(connection, receipt, now)

    def deliveries(
        self, owner: str | None = None, *, message: str | None = None, state: str | None = None, limit: int = 100
    ) -> list[Delivery]:
        query = select(deliveries).order_by(deliveries.c.seq.desc()).limit(limit)
        if owner is not None:
            query = query.join(endpoints, endpoints.c.id == deliveries.c.endpoint).where(endpoints.c.owner == owner)
        if message is not None:
            query = query.where(deliveries.c.message == message)
        if state is not None:
            query = query.where(deliveries.c.state == state)
        with self._database.read() as connection:
            found = [_delivery(row) for row in connection.execute(query).mappings()]
        return found if owner in (None, FOUNDER) else [_for_customer(one) for one in found]

    def replay(self, message: str, owner: str | None = None) -> int:
        now = self._now()
        with self._database.write() as connection:
            found = _told(connection, messages.c.id == message)
            # Another customer's message is answered like one that never was.
            if not found or (owner not in (None, FOUNDER) and found[0]["customer"] != owner):
                raise missing(connection, message)
            made = _deliver(connection, found[0], now, owner=owner)
            note(connection, "message.replayed", message, now, {"deliveries": made})
            return made

    def replay_since(self, since: datetime, owner: str | None = None) -> int:
        now = self._now()
        with self._database.write() as connection:
            # What was not dispatched yet goes out anyway.
            old = and_(messages.c.at >= micros(since), messages.c.seq <= _cursor(connection))
            made = sum(_deliver(connection, row, now, owner=owner) for row in _told(connection, old))
            note(connection, "message.replayed", "since", now, {"since": since, "deliveries": made})
            return made

    def purge(self, delivered: timedelta, failed: timedelta) -> int:
        return purge(self._database, self._clock.now(), delivered, failed, CURSOR)

    def test(self, endpoint: str, owner: str | None = None) -> str:
        now = self._now()
        with self._database.write() as connection:
            found = found_endpoint(connection, endpoint, owner)
            if found["disabled_at"] is not None:
                raise UnknownEndpoint(f"the webhook {endpoint} is disabled; add it anew")
            customer = None if found["owner"] == FOUNDER else found["owner"]
            tell(connection, TEST, customer, {"webhook": endpoint}, now)
            newest = connection.scalar(select(messages.c.id).order_by(messages.c.seq.desc()).limit(1))
            connection.execute(deliveries.insert().values(_waiting(str(newest), endpoint, now)))
            return str(newest)

    def _now(self) -> int:
        return micros(self._clock.now())


def micros_of(span: timedelta) -> int:
    """A span as whole microseconds."""
    return span // timedelta(microseconds=1)


def _cursor(connection: Connection) -> int:
    return int(connection.scalar(select(meta.c.value).where(meta.c.name == CURSOR)) or 0)


def _advance(connection: Connection, seq: int) -> None:
    moved = connection.execute(update(meta).where(meta.c.name == CURSOR).values(value=str(seq)))
    if not moved.rowcount:
        connection.execute(meta.insert().values(name=CURSOR, value=str(seq)))


def _told(connection: Connection, condition: Any) -> Sequence[Any]:
    query: Select[Any] = select(messages).where(condition).order_by(messages.c.seq)
    return connection.execute(query).mappings().all()


def _deliver(connection: Connection, row: Any, now: int, *, owner: str | None = None, since: bool = False) -> int:
    """A delivery for each endpoint that works and hears the message; ``since``: that was there when it was told."""
    message = _message(row)
    query = select(endpoints).where(
        endpoints.c.disabled_at.is_(None), or_(endpoints.c.owner == FOUNDER, endpoints.c.owner == message.customer)
    )
    if owner is not None:
        query = query.where(endpoints.c.owner == owner)
    if since:
        query = query.where(endpoints.c.created_at <= row["at"])
    found = [endpoint_of(one) for one in connection.execute(query.order_by(endpoints.c.seq)).mappings()]
    made = [_waiting(message.id, one.id, now) for one in found if hears(one, message)]
    if made:
        connection.execute(deliveries.insert(), made)
    return len(made)


def _waiting(message: str, endpoint: str, now: int) -> dict[str, Any]:
    return {
        "id": new_id("del"),
        "message": message,
        "endpoint": endpoint,
        "state": "waiting",
        "attempts": 0,
        "next_at": now,
        "last_error": "",
        "done_at": None,
    }


def _record(connection: Connection, receipt: Receipt, now: int) -> None:
    waiting = and_(deliveries.c.id == receipt.delivery, deliveries.c.state == "waiting")
    attempts = connection.scalar(select(deliveries.c.attempts).where(waiting))
    if attempts is None:  # disabled meanwhile
        return
    attempts += 1
    change: dict[str, Any] = {"attempts": attempts, "last_status": receipt.status, "next_at": None}
    change["last_error"] = "" if receipt.taken else receipt.error[:LONGEST_ERROR]
    wait = None if receipt.gone else wait_after(attempts, chance.randbelow(1001))
    if receipt.taken:
        change |= {"state": "delivered", "done_at": now}
    elif wait is None:
        change |= {"state": "given_up", "done_at": now}
        data = {"delivery": receipt.delivery, "attempts": attempts, "status": receipt.status}
        note(connection, "webhook.gave_up", receipt.endpoint, now, data)
    else:
        change["next_at"] = now + micros_of(wait)
    connection.execute(update(deliveries).where(waiting).values(change))
    if receipt.gone:
        disable_endpoint(connection, receipt.endpoint, now, "answered 410 Gone")


def _message(row: Any) -> Message:
    return Message(row["id"], row["kind"], row["customer"], json.loads(row["body"]), moment(row["at"]))


def _for_customer(found: Delivery) -> Delivery:
    """Without what our resolver knows."""
    return replace(found, last_error=NO_PLACE) if found.last_error.startswith(NO_PLACE) else found


def _delivery(row: Any) -> Delivery:
    due = row["next_at"]
    return Delivery(
        id=row["id"],
        message=row["message"],
        endpoint=row["endpoint"],
        state=row["state"],
        attempts=row["attempts"],
        next_at=None if due is None else moment(due),
        last_status=row["last_status"],
        last_error=row["last_error"],
    )
