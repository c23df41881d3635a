"""API keys: made, replaced, ended, looked up. Only the digest of a secret is stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select, update

from modelmint.commerce.errors import Unauthenticated, UnknownKey
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.names import checked_name
from modelmint.commerce.people import scopes as known_scopes
from modelmint.commerce.people.errors import KeyEnded, TooManyKeys
from modelmint.commerce.people.terms import checked_expiry, checked_overlap
from modelmint.commerce.types import Key
from modelmint.kit.digest import digest_bytes
from modelmint.kit.ids import new_id, new_secret
from modelmint.store.history import note
from modelmint.store.leases import recall
from modelmint.store.schema import key_uses, keys

#: Keys of one customer that work at the same time.
MOST_LIVING = 100
#: Characters of a secret that are kept to recognise it by: the prefix and four more of 43.
HINT = 7


def add(
    connection: Connection,
    owner: str,
    name: str,
    now: int,
    scopes: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    replaces: str | None = None,
) -> tuple[Key, str]:
    """The key and its secret, 256 random bits, of which only the sha256 is stored.

    Raises ``BadName``, ``BadScope``, ``BadExpiry``, ``TooManyKeys``.
    """
    if _living(connection, owner, now) >= MOST_LIVING:
        raise TooManyKeys(f"{MOST_LIVING} keys that work are the most that a customer may have; revoke one first")
    name = checked_name(name, "a key's name")
    chosen = known_scopes.DEFAULT if scopes is None else known_scopes.checked(scopes)
    end = checked_expiry(expires_at, moment(now))
    secret = new_secret("mm")
    row = {
        "id": new_id("key"),
        "customer": owner,
        "digest": digest_bytes(secret.encode()),
        "hint": secret[:HINT],
        "name": name,
        "created_at": now,
        "revoked_at": None,
        "scopes": " ".join(chosen),
        "expires_at": None if end is None else micros(end),
        "replaces": replaces,
    }
    connection.execute(keys.insert().values(row))
    key = key_from({**row, "last_used_at": None})
    data = {"customer": owner, "scopes": list(chosen), "expires_at": end}
    if replaces is None:
        note(connection, "key.added", key.id, now, data)
    return key, secret


def _living(connection: Connection, owner: str, now: int) -> int:
    """How many keys of a customer work: each makes the books, the console and the alarms look at one more."""
    ahead = or_(keys.c.expires_at.is_(None), keys.c.expires_at > now)
    living = select(func.count()).where(keys.c.customer == owner, keys.c.revoked_at.is_(None), ahead)
    return connection.scalar(living) or 0


def rotate(
    connection: Connection, wanted: str, overlap: timedelta, now: int, expires_at: datetime | None = None
) -> tuple[Key, str]:
    """A new key with the name and scopes of ``wanted``, which ends after ``overlap`` or earlier, as it would have.

    The new key ends when the former would have, unless ``expires_at`` says otherwise. Raises ``UnknownKey``,
    ``KeyEnded``, ``BadExpiry``, ``TooManyKeys``.
    """
    ends = moment(now) + checked_overlap(overlap)
    former = key(connection, wanted)
    successor = connection.scalar(select(keys.c.id).where(keys.c.replaces == former.id))
    if successor is not None:
        raise KeyEnded(f"the key {wanted!r} is replaced by {successor!r} already; rotate that one")
    if former.revoked_at is not None or has_expired(former, moment(now)):
        found = "was revoked" if former.revoked_at is not None else "has expired"
        raise KeyEnded(f"the key {wanted!r} {found}, so it cannot be rotated; make a new one")
    made = add(connection, former.customer, former.name, now, former.scopes, expires_at or former.expires_at, former.id)
    end = ends if former.expires_at is None else min(ends, former.expires_at)
    connection.execute(update(keys).where(keys.c.id == former.id).values(expires_at=micros(end)))
    recall(connection, former.customer)
    note(connection, "key.rotated", former.id, now, {"customer": former.customer, "by": made[0].id, "ends_at": end})
    return made


def all_of(connection: Connection, owner: str | None) -> list[Key]:
    """In the order of their making."""
    found = query().order_by(keys.c.seq)
    if owner is not None:
        found = found.where(keys.c.customer == owner)
    return [key_from(row) for row in connection.execute(found).mappings()]


def digest_of(connection: Connection, wanted: str) -> str:
    """sha256, hex, of a key's secret; raises ``UnknownKey``."""
    return str(connection.scalar(select(keys.c.digest).where(keys.c.id == key(connection, wanted).id)))


def key(connection: Connection, wanted: str) -> Key:
    """By id; raises ``UnknownKey``."""
    row = connection.execute(query().where(keys.c.id == wanted)).mappings().first()
    if row is None:
        raise UnknownKey(f"no key has the id {wanted!r}; list them with 'modelmint keys list'")
    return key_from(row)


def revoke(connection: Connection, wanted: str, now: int) -> Key:
    """From now on; revoking twice keeps the first moment. Raises ``UnknownKey``."""
    changed = connection.execute(
        update(keys).where(keys.c.id == wanted, keys.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    found = key(connection, wanted)
    if changed.rowcount:
        recall(connection, found.customer)
        note(connection, "key.revoked", found.id, now, {"customer": found.customer})
    return found


def by_digest(connection: Connection, digest: str, now: int) -> Key:
    """Raises ``Unauthenticated`` for an unknown, revoked or expired key."""
    row = connection.execute(query().where(keys.c.digest == digest)).mappings().first()
    if row is None:
        raise Unauthenticated("expected a valid key, found an unknown key")
    found = key_from(row)
    if found.revoked_at is not None:
        raise Unauthenticated("expected a valid key, found a revoked one")
    if has_expired(found, moment(now)):
        raise Unauthenticated("expected a valid key, found an expired one")
    return found


def has_expired(found: Key, now: datetime) -> bool:
    """A key is valid up to its end and not at it."""
    return found.expires_at is not None and found.expires_at <= now


def query() -> Select[Any]:
    """All keys, with their last use; for ``key_from``."""
    return select(keys, key_uses.c.at.label("last_used_at")).outerjoin(key_uses, key_uses.c.key == keys.c.id)


def key_from(row: Any) -> Key:
    """A row of ``keys`` with ``last_used_at``."""
    return Key(
        id=row["id"],
        customer=row["customer"],
        hint=row["hint"],
        name=row["name"],
        created_at=moment(row["created_at"]),
        revoked_at=_maybe(row["revoked_at"]),
        scopes=tuple(row["scopes"].split()),
        expires_at=_maybe(row["expires_at"]),
        replaces=row["replaces"],
        last_used_at=_maybe(row["last_used_at"]),
    )


def _maybe(at: int | None) -> datetime | None:
    return None if at is None else moment(at)
