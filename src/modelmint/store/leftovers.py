"""What crashes and time leave behind: reservations of dead processes, answers that nobody will ask for."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from modelmint.store.process import is_dead, parse
from modelmint.store.reserve import ANSWERS_LAST
from modelmint.store.schema import idempotency, leases, reservations


def stale_reservations(connection: Connection, now: int, *, shared_disk_only: bool) -> list[str]:
    """Open calls whose process is dead or whose lease is over."""
    rows = list(connection.execute(select(reservations.c.id, reservations.c.owner, reservations.c.lease_until)))
    dead = {owner: is_dead(parse(owner), shared_disk_only=shared_disk_only) for owner in {row[1] for row in rows}}
    return [name for name, owner, lease in rows if dead[owner] or lease <= now]


def stale_leases(connection: Connection, now: int, *, shared_disk_only: bool) -> list[str]:
    """Leases whose process is dead or silent for long."""
    rows = list(connection.execute(select(leases.c.id, leases.c.owner, leases.c.lease_until)))
    dead = {owner: is_dead(parse(owner), shared_disk_only=shared_disk_only) for owner in {row[1] for row in rows}}
    return [name for name, owner, until in rows if dead[owner] or until <= now]


def has_expired_answers(connection: Connection, now: int) -> bool:
    """Whether there is anything to forget; looking does not stop the calls, forgetting does."""
    query = select(idempotency.c.at).where(idempotency.c.at <= now - ANSWERS_LAST).limit(1)
    return connection.execute(query).first() is not None


def forget_expired_answers(connection: Connection, now: int) -> None:
    """Answers older than a day are not replayed any more."""
    connection.execute(delete(idempotency).where(idempotency.c.at <= now - ANSWERS_LAST))
