"""Prepaid credit: no grant is burnt beyond itself, and what is left is what the ledger owes."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from modelmint.commerce.ledger.postings import credit
from modelmint.commerce.ledger.types import Finding
from modelmint.store.schema import burns, grants, ledger_entries


def check(connection: Connection) -> list[Finding]:
    """The first grant, burn or credit account that does not come out."""
    sums = select(burns.c.grant, func.sum(burns.c.minor)).group_by(burns.c.grant)
    spent = {grant: int(minor) for grant, minor in connection.execute(sums)}
    left: dict[tuple[str, str], int] = {}
    for row in connection.execute(select(grants).order_by(grants.c.seq)).mappings():
        burnt = spent.pop(row["id"], 0)
        if not 0 <= burnt <= row["minor"]:
            problem = f"{burnt} of {row['minor']} minor units are burnt"
            return [Finding("grants", f"{row['seq']} ({row['id']})", problem)]
        key = (credit(row["customer"]), row["currency"])
        left[key] = left.get(key, 0) + row["minor"] - burnt
    for grant in spent:
        return [Finding("burns", grant, "credit was burnt of a grant that is not there")]
    return _accounts(connection, left)


def _accounts(connection: Connection, left: dict[tuple[str, str], int]) -> list[Finding]:
    columns = ledger_entries.c
    query = (
        select(columns.account, columns.currency, func.sum(columns.minor))
        .where(columns.account.like("credit:%"))
        .group_by(columns.account, columns.currency)
    )
    booked = {(account, currency): -int(minor) for account, currency, minor in connection.execute(query)}
    for account, currency in sorted(booked.keys() | left.keys()):
        owed, known = booked.get((account, currency), 0), left.get((account, currency), 0)
        if owed != known:
            problem = f"the ledger owes {owed} minor units of {currency}, grants less burns come to {known}"
            return [Finding("grants", account, problem)]
    return []
