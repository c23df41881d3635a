"""Customers: made, found, listed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from modelmint.commerce.errors import CustomerExists, UnknownCustomer
from modelmint.commerce.moments import moment
from modelmint.commerce.names import checked_line, checked_name, is_writable
from modelmint.commerce.people.errors import CustomerErased
from modelmint.commerce.types import Customer
from modelmint.kit.ids import new_id
from modelmint.kit.registry import nearest
from modelmint.store.history import note
from modelmint.store.schema import customers

#: What a customer is called: partners name theirs freely, see ``schema.people``.
called = func.coalesce(customers.c.label, customers.c.name)


def add_customer(
    connection: Connection,
    name: str,
    email: str,
    now: int,
    *,
    partner: str | None = None,
    channel: str | None = None,
    by_partner: bool = False,
) -> Customer:
    """Raises ``BadName``, ``CustomerExists``.

    ``by_partner``: then the name is compared with the partner's own customers only, so that a refusal tells nothing
    about anybody else's.
    """
    name = checked_name(name, "a customer's name")
    email = checked_line(email, "a customer's e-mail")
    own = customers.c.partner == partner
    among = own if by_partner else or_(customers.c.label.is_(None), own)
    if connection.execute(select(customers.c.id).where(among, called == name)).first():
        raise CustomerExists(f"a customer called {name!r} exists already; choose another name")
    identity = new_id("cus")
    row = {
        "id": identity,
        "name": identity if by_partner else name,
        "label": name if by_partner else None,
        "email": email,
        "created_at": now,
        "partner": partner,
        "channel": channel,
    }
    connection.execute(customers.insert().values(row))
    note(connection, "customer.added", identity, now, {"partner": partner, "channel": channel})
    return customer(connection, identity)


def all_customers(connection: Connection, partner: str | None = None) -> list[Customer]:
    """In the order of their coming; ``partner``: only those of a partner."""
    query = select(customers).where(_of(partner)).order_by(customers.c.seq)
    return [customer_from(row) for row in connection.execute(query).mappings()]


def customer(connection: Connection, wanted: str, partner: str | None = None) -> Customer:
    """By id, else by exact name; raises ``UnknownCustomer``.

    ``partner``: only among those of a partner; the refusal says the same for a stranger's and for none, and names
    nobody else's customer.
    """
    rows: list[Any] = []
    if is_writable(wanted):  # else no database takes it, and nobody is called so
        named = or_(customers.c.id == wanted, customers.c.name == wanted, customers.c.label == wanted)
        found = connection.execute(select(customers).where(named, _of(partner))).mappings()
        rows = sorted(found, key=lambda row: _rank(row, wanted))
    if not rows:
        names = connection.scalars(select(called).where(_of(partner), customers.c.erased_at.is_(None)))
        close = nearest(wanted, [str(name) for name in names])
        hint = f"; did you mean {close!r}?" if close else ""
        raise UnknownCustomer(f"no customer has the id or name {wanted!r}{hint}")
    if len(rows) > 1 and _rank(rows[0], wanted) == _rank(rows[1], wanted):
        ids = ", ".join(row["id"] for row in rows)
        raise UnknownCustomer(f"more than one partner's customer is called {wanted!r}; give the id: {ids}")
    return customer_from(rows[0])


def living(connection: Connection, wanted: str, partner: str | None = None) -> Customer:
    """Like ``customer``, for what begins something new; raises ``CustomerErased`` too."""
    found = customer(connection, wanted, partner)
    if found.erased_at is not None:
        raise CustomerErased(f"the customer {found.id} was erased; nothing new can begin. Add a new customer")
    return found


def _of(partner: str | None) -> ColumnElement[bool]:
    return and_(True) if partner is None else customers.c.partner == partner


def _rank(row: Any, wanted: str) -> int:
    """An id is found before a name, a direct customer's name before a partner's customer's."""
    return 0 if row["id"] == wanted else 1 if row["name"] == wanted else 2


def customer_from(row: Any) -> Customer:
    """A row of ``customers``."""
    return Customer(
        id=row["id"],
        name=row["name"] if row["label"] is None else row["label"],
        email=row["email"],
        created_at=moment(row["created_at"]),
        anchor=row["anchor"],
        tax_rate=Decimal(row["tax_rate"]),
        tax_name=row["tax_name"],
        tax_id=row["tax_id"],
        address=row["address"],
        language=row["language"],
        partner=row["partner"],
        channel=row["channel"],
        erased_at=None if row["erased_at"] is None else moment(row["erased_at"]),
    )
