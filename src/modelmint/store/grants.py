"""Prepaid credit in the books: rows of grants, and what burns left of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from modelmint.commerce.billing.types import GrantBalance, Invoice
from modelmint.commerce.documents.invoice_json import money_json
from modelmint.commerce.moments import moment
from modelmint.kit.money import Money
from modelmint.store.history import note, tell
from modelmint.store.schema import burns, grants

#: Credit that came of an invoice is used before any other.
FIRST = 0


def left_of(connection: Connection, customer: str) -> list[GrantBalance]:
    """Grants of which something is left, run out or not, in the order of granting."""
    rows = connection.execute(select(grants).where(grants.c.customer == customer).order_by(grants.c.seq)).mappings()
    known = list(rows)
    if not known:
        return []
    ids = [row["id"] for row in known]
    query = select(burns.c.grant, func.sum(burns.c.minor)).where(burns.c.grant.in_(ids)).group_by(burns.c.grant)
    burnt = {grant: int(minor) for grant, minor in connection.execute(query)}
    found = [_balance(row, burnt.get(row["id"], 0)) for row in known]
    return [grant for grant in found if grant.left.minor > 0]


def _balance(row: Any, burnt: int) -> GrantBalance:
    return GrantBalance(
        id=row["id"],
        left=Money(row["minor"] - burnt, row["currency"]),
        priority=row["priority"],
        expires_at=_maybe(row["expires_at"]),
        granted_at=moment(row["at"]),
    )


def _maybe(at: int | None) -> datetime | None:
    return None if at is None else moment(at)


def give_back(connection: Connection, invoice: Invoice, now: int) -> None:
    """Turn what an invoice gives back beyond what it charges into credit; its own posting books it."""
    amount = -invoice.credit
    row = {
        "id": f"gra_{invoice.id.removeprefix('inv_')}",
        "customer": invoice.customer,
        "minor": amount.minor,
        "currency": amount.currency,
        "priority": FIRST,
        "expires_at": None,
        "source": "credit_note",
        "note": f"invoice {invoice.number}",
        "at": now,
    }
    insert(connection, row)


def insert(connection: Connection, row: dict[str, Any]) -> None:
    """A grant, noted and told; the caller books it."""
    connection.execute(grants.insert().values(row))
    amount = Money(row["minor"], row["currency"])
    note(connection, "credit.granted", row["id"], row["at"], {"source": row["source"], "amount": str(amount)})
    body = {"grant": row["id"], "customer": row["customer"], "amount": money_json(amount), "source": row["source"]}
    tell(connection, "credit.granted", row["customer"], body, row["at"])
