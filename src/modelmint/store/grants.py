"""Prepaid credit in the books: rows of grants, and what burns left of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from modelmint.commerce.billing.types import Grant, GrantBalance, GrantLeft, Invoice
from modelmint.commerce.documents.invoice_json import money_json
from modelmint.commerce.moments import micros, moment
from modelmint.kit.money import Money
from modelmint.store.history import note, tell
from modelmint.store.schema import burns, grants

#: Credit that came of an invoice is used before any other.
FIRST = 0


def left_of(connection: Connection, customer: str) -> list[GrantBalance]:
    """Grants of which something is left, run out or not, in the order of granting."""
    return [_balance(row, minor) for row, minor in _left(connection, customer) if minor > 0]


def all_of(connection: Connection, customer: str, now: datetime) -> list[GrantLeft]:
    """Every grant with what is left of it, in the order of granting."""
    found = []
    for row, minor in _left(connection, customer):
        ends = _maybe(row["expires_at"])
        amount, left = Money(row["minor"], row["currency"]), Money(minor, row["currency"])
        grant = Grant(row["id"], customer, amount, row["priority"], ends, row["source"], row["note"], moment(row["at"]))
        found.append(GrantLeft(grant, left, ends is not None and ends <= now))
    return found


def _left(connection: Connection, customer: str) -> list[tuple[Any, int]]:
    query = select(grants).where(grants.c.customer == customer).order_by(grants.c.seq)
    known = connection.execute(query).mappings().all()
    if not known:
        return []
    ids = [row["id"] for row in known]
    spent = select(burns.c.grant, func.sum(burns.c.minor)).where(burns.c.grant.in_(ids)).group_by(burns.c.grant)
    burnt = {grant: int(minor) for grant, minor in connection.execute(spent)}
    return [(row, row["minor"] - burnt.get(row["id"], 0)) for row in known]


def _balance(row: Any, left: int) -> GrantBalance:
    return GrantBalance(
        id=row["id"],
        left=Money(left, row["currency"]),
        priority=row["priority"],
        expires_at=_maybe(row["expires_at"]),
        granted_at=moment(row["at"]),
    )


def _maybe(at: int | None) -> datetime | None:
    return None if at is None else moment(at)


def give_back(connection: Connection, invoice: Invoice, now: int) -> None:
    """Turn what an invoice gives back beyond what it charges into credit; its own posting books it."""
    grant = Grant(
        id=f"gra_{invoice.id.removeprefix('inv_')}",
        customer=invoice.customer,
        amount=-invoice.credit,
        priority=FIRST,
        expires_at=None,
        source="credit_note",
        note=f"{invoice.kind.replace('_', ' ')} {invoice.number}",
        at=moment(now),
    )
    insert(connection, row_of(grant))


def row_of(grant: Grant) -> dict[str, Any]:
    """The columns of a grant."""
    return {
        "id": grant.id,
        "customer": grant.customer,
        "minor": grant.amount.minor,
        "currency": grant.amount.currency,
        "priority": grant.priority,
        "expires_at": None if grant.expires_at is None else micros(grant.expires_at),
        "source": grant.source,
        "note": grant.note,
        "at": micros(grant.at),
    }


def insert(connection: Connection, row: dict[str, Any]) -> None:
    """A grant, noted and told; the caller books it."""
    connection.execute(grants.insert().values(row))
    amount = Money(row["minor"], row["currency"])
    note(connection, "credit.granted", row["id"], row["at"], {"source": row["source"], "amount": str(amount)})
    body = {"grant": row["id"], "customer": row["customer"], "amount": money_json(amount), "source": row["source"]}
    tell(connection, "credit.granted", row["customer"], body, row["at"])
