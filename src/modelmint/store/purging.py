"""What is kept of the outbox, and for how long: deliveries that are over go, then messages that have none left."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, exists, or_, select, update

from modelmint.commerce.moments import micros
from modelmint.commerce.webhooks.errors import MessagePurged, UnknownMessage
from modelmint.store.database import Database
from modelmint.store.schema import deliveries, messages, meta

#: Rows that go in one transaction, so that no call waits long behind it.
BATCH = 500
#: Name of the row that holds the highest id of a purged message; ids sort by the time of their making.
PURGED = "outbox_purged"


def purge(database: Database, now: datetime, delivered: timedelta, failed: timedelta, dispatched: str) -> int:
    """One batch; how many rows went. ``dispatched``: name of the row with the number of the last message dispatched.

    What still waits is kept however old it is: it is given up after three days of trying, and counts from then.
    """
    taken, given_up = micros(now - delivered), micros(now - failed)
    own = deliveries.c
    over = or_(
        and_(own.state == "delivered", own.done_at < taken), and_(own.state == "given_up", own.done_at < given_up)
    )
    last = select(meta.c.value).where(meta.c.name == dispatched).scalar_subquery()
    with database.read() as connection:  # looking costs nobody his turn
        done = connection.scalars(select(own.id).where(over).limit(BATCH)).all()
        seen = int(connection.scalar(select(last)) or 0)
        old = and_(messages.c.at < taken, messages.c.seq <= seen, ~exists().where(own.message == messages.c.id))
        told = connection.scalars(select(messages.c.id).where(old).order_by(messages.c.at).limit(BATCH)).all()
    if not done and not told:
        return 0
    with database.write() as connection:
        gone = connection.execute(delete(deliveries).where(own.id.in_(done))).rowcount
        # Somebody may have asked for one of them again meanwhile.
        kept = set(connection.scalars(select(own.message).where(own.message.in_(told))))
        purged = sorted(set(told) - kept)
        if purged:
            gone += connection.execute(delete(messages).where(messages.c.id.in_(purged))).rowcount
            _remember(connection, purged[-1])
        return gone


def missing(connection: Connection, message: str) -> UnknownMessage:
    """Why there is no message of this id: it was purged, or never was. Says nothing of whose it was."""
    highest = _highest(connection)
    if highest is not None and message.startswith("msg_") and message <= highest:
        return MessagePurged(
            f"the message {message[:80]!r} is not kept any more: messages are purged some time after they were "
            "delivered or given up; read what it told of from the API"
        )
    return UnknownMessage(f"no message has the id {message[:80]!r}; deliveries name theirs")


def _remember(connection: Connection, highest: str) -> None:
    known = _highest(connection)
    if known is None:
        connection.execute(meta.insert().values(name=PURGED, value=highest))
    elif known < highest:
        connection.execute(update(meta).where(meta.c.name == PURGED).values(value=highest))


def _highest(connection: Connection) -> str | None:
    found = connection.scalar(select(meta.c.value).where(meta.c.name == PURGED))
    return None if found is None else str(found)
