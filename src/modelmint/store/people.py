"""Customers and their keys."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, or_, select, update

from modelmint.commerce.errors import CustomerExists, Unauthenticated, UnknownCustomer, UnknownKey
from modelmint.commerce.moments import moment
from modelmint.commerce.names import checked_name, is_writable
from modelmint.commerce.types import Customer, Key
from modelmint.kit.digest import digest_bytes
from modelmint.kit.ids import new_id, new_secret
from modelmint.kit.registry import nearest
from modelmint.store.schema import customers, keys

#: Characters of a secret that are kept to recognise it by: the prefix and four more of 43.
HINT = 7


def add_customer(connection: Connection, name: str, email: str, now: int) -> Customer:
    """Raises ``BadName``, ``CustomerExists``."""
    name = checked_name(name, "a customer's name")
    if connection.execute(select(customers.c.id).where(customers.c.name == name)).first():
        raise CustomerExists(f"a customer called {name!r} exists already; choose another name")
    row = {"id": new_id("cus"), "name": name, "email": email, "created_at": now}
    connection.execute(customers.insert().values(row))
    return _customer(row)


def all_customers(connection: Connection) -> list[Customer]:
    """In the order of their coming."""
    return [_customer(row) for row in connection.execute(select(customers).order_by(customers.c.seq)).mappings()]


def customer(connection: Connection, wanted: str) -> Customer:
    """By id, else by exact name; raises ``UnknownCustomer``."""
    row = None
    if is_writable(wanted):  # else no database takes it, and nobody is called so
        matches = select(customers).where(or_(customers.c.id == wanted, customers.c.name == wanted))
        row = connection.execute(matches.order_by(customers.c.id != wanted)).mappings().first()
    if row is None:
        close = nearest(wanted, [str(name) for name in connection.scalars(select(customers.c.name))])
        hint = f"; did you mean {close!r}?" if close else ""
        raise UnknownCustomer(f"no customer has the id or name {wanted!r}{hint}")
    return _customer(row)


def add_key(connection: Connection, owner: str, name: str, now: int) -> tuple[Key, str]:
    """The key and its secret, 256 random bits, of which only the sha256 is stored. Raises ``BadName``."""
    name = checked_name(name, "a key's name")
    secret = new_secret("mm")
    row = {
        "id": new_id("key"),
        "customer": owner,
        "digest": digest_bytes(secret.encode()),
        "hint": secret[:HINT],
        "name": name,
        "created_at": now,
        "revoked_at": None,
    }
    connection.execute(keys.insert().values(row))
    return _key(row), secret


def all_keys(connection: Connection, owner: str | None) -> list[Key]:
    """In the order of their making."""
    query = select(keys).order_by(keys.c.seq)
    if owner is not None:
        query = query.where(keys.c.customer == owner)
    return [_key(row) for row in connection.execute(query).mappings()]


def revoke_key(connection: Connection, wanted: str, now: int) -> Key:
    """From now on; revoking twice keeps the first moment. Raises ``UnknownKey``."""
    connection.execute(update(keys).where(keys.c.id == wanted, keys.c.revoked_at.is_(None)).values(revoked_at=now))
    row = connection.execute(select(keys).where(keys.c.id == wanted)).mappings().first()
    if row is None:
        raise UnknownKey(f"no key has the id {wanted!r}; list them with 'modelmint keys list'")
    return _key(row)


def key_by_digest(connection: Connection, digest: str) -> Key:
    """Raises ``Unauthenticated`` for an unknown or revoked key."""
    row = connection.execute(select(keys).where(keys.c.digest == digest)).mappings().first()
    if row is None or row["revoked_at"] is not None:
        found = "an unknown key" if row is None else "a revoked one"
        raise Unauthenticated(f"expected a valid key, found {found}")
    return _key(row)


def _customer(row: Any) -> Customer:
    return Customer(row["id"], row["name"], row["email"], moment(row["created_at"]))


def _key(row: Any) -> Key:
    revoked = row["revoked_at"]
    return Key(
        id=row["id"],
        customer=row["customer"],
        hint=row["hint"],
        name=row["name"],
        created_at=moment(row["created_at"]),
        revoked_at=None if revoked is None else moment(revoked),
    )
