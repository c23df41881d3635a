"""What customers agreed to. A change of mind is a row; the newest counts."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from modelmint.commerce.people.actor import actor
from modelmint.store.history import note
from modelmint.store.schema import consents


def given(connection: Connection, customer: str, subject: str) -> bool:
    """Whether the customer agrees now; silence is no."""
    own = consents.c
    query = select(own.given).where(own.customer == customer, own.subject == subject)
    return bool(connection.scalar(query.order_by(own.seq.desc()).limit(1)))


def all_given(connection: Connection, subject: str, among: Iterable[str] | None = None) -> set[str]:
    """Ids of the customers who agree now."""
    own = consents.c
    query = select(own.customer, own.given).where(own.subject == subject).order_by(own.seq)
    if among is not None:
        query = query.where(own.customer.in_(sorted(among)))
    newest = {row.customer: row.given for row in connection.execute(query)}
    return {customer for customer, yes in newest.items() if yes}


def set_to(connection: Connection, customer: str, subject: str, yes: bool, now: int) -> bool:
    """Write it down; whether it is a change."""
    if given(connection, customer, subject) == yes:
        return False
    row = {"customer": customer, "subject": subject, "given": int(yes), "actor": actor(), "at": now}
    connection.execute(consents.insert().values(row))
    note(connection, "consent.given" if yes else "consent.withdrawn", customer, now, {"subject": subject})
    return True
