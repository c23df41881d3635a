"""Gives entries from before there was a chain their hashes, and takes names out of old invoices; part of 0002."""

from __future__ import annotations

import json

from sqlalchemy import Connection, text

from modelmint.commerce.ledger.chain import START, link
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.commerce.moments import moment
from modelmint.kit.canonical import canonical_json
from modelmint.kit.money import Money


def chain_old_entries(connection: Connection) -> None:
    """The only time that entries are ever changed: the guard goes, and the caller puts it back."""
    _unguard(connection, "ledger_entries")
    former = START
    change = text("UPDATE ledger_entries SET hash = :hash WHERE seq = :seq")
    for row in connection.execute(text("SELECT * FROM ledger_entries ORDER BY seq")).mappings().all():
        entry = LedgerEntry(
            id=row["id"],
            transaction=row["transaction"],
            account=row["account"],
            amount=Money(row["minor"], row["currency"]),
            at=moment(row["at"]),
            memo=row["memo"],
            data=json.loads(row["data"]),
        )
        former = link(former, entry)
        connection.execute(change, {"hash": former, "seq": row["seq"]})


def take_names_out(connection: Connection) -> None:
    """Invoices of the first release froze the customer's name; it moves beside them, where it can be erased.

    Their postings hold no digest of the body, so nothing that was proved is changed. The caller puts the guard back.
    """
    _unguard(connection, "invoices")
    beside = text(
        "INSERT INTO parties (invoice, customer, name, email, address, tax_id) "
        "VALUES (:invoice, :customer, :name, '', '', '')"
    )
    change = text("UPDATE invoices SET body = :body WHERE number = :number")
    query = text("SELECT number, id, customer, body FROM invoices ORDER BY number")
    for row in connection.execute(query).mappings().all():
        body = json.loads(row["body"])
        name = body.pop("customer_name", "")
        connection.execute(beside, {"invoice": row["id"], "customer": row["customer"], "name": name})
        connection.execute(change, {"body": canonical_json(body).decode(), "number": row["number"]})


def _unguard(connection: Connection, table: str) -> None:
    if connection.dialect.name == "sqlite":
        for verb in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER {table}_no_{verb}"))
    else:
        connection.execute(text(f"DROP TRIGGER {table}_append_only ON {table}"))
