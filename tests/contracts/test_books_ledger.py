"""The ledger on both databases: one chain, one way in, old books chained when they are opened."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from modelmint.commerce.errors import Unbalanced
from modelmint.commerce.ledger.chain import START, chained
from modelmint.commerce.ledger.postings import transaction
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.kit.clock import ManualClock
from modelmint.kit.money import Money
from modelmint.store.database import Database
from modelmint.store.entries import entries_of
from modelmint.store.journal import post
from modelmint.store.open import open_books

AT = datetime(2026, 11, 5, 12, tzinfo=UTC)


def sale(name: str, minor: int = 250) -> list[LedgerEntry]:
    legs = [("receivable:cus_1", Money(minor, "USD"), {"n": name}), ("revenue:payg:per_unit", Money(-minor, "USD"), {})]
    return transaction(f"txn_{name}", AT, name, legs)


@pytest.fixture
def database(url: str) -> Database:
    open_books(url, ManualClock(AT)).close()
    return Database(url)


def test_what_is_posted_is_chained_in_the_order_of_booking(database: Database) -> None:
    for name in ("one", "two", "three"):
        with database.write() as connection:
            post(connection, sale(name))
    with database.read() as connection:
        found = list(entries_of(connection))
    assert [entry.seq for entry in found] == [1, 2, 3, 4, 5, 6]
    assert found == list(chained(START, 0, [leg for name in ("one", "two", "three") for leg in sale(name)]))


def test_a_transaction_that_does_not_sum_to_zero_is_not_booked(database: Database) -> None:
    with database.write() as connection:
        with pytest.raises(Unbalanced, match="sums to zero"):
            post(connection, [*sale("good"), sale("bad")[0]])
        assert list(entries_of(connection)) == []
