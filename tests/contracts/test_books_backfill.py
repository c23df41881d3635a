"""Books made before there were roll-ups: their calls are added up when they are opened by this version."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from modelmint.commerce.ledger.chain import START, chained
from modelmint.commerce.ledger.errors import NotReplayable
from modelmint.store.open import open_books

DAY = 86_400_000_000
NOV_1 = 1_793_491_200_000_000
NOV_3 = NOV_1 + 2 * DAY
CUT = NOV_3 + DAY // 2


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a single table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / uuid.uuid4().hex}.sqlite"
    found: str = request.getfixturevalue("postgres").empty_database()
    return found


def first_books(url: str, outcomes: list[dict[str, Any]], closings: list[dict[str, Any]]) -> None:
    """A database as the first release left it."""
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", "modelmint.store:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for name in ("cus_a", "cus_b"):
            row = {"id": name, "name": name, "email": "", "at": NOV_1}
            insert = "INSERT INTO customers (id, name, email, created_at) VALUES (:id, :name, :email, :at)"
            connection.execute(text(insert), row)
        for closing in closings:
            insert = (
                "INSERT INTO closings (customer, starts_at, ends_at, at) VALUES (:customer, :starts_at, :ends_at, :at)"
            )
            connection.execute(text(insert), closing)
        for outcome in outcomes:
            names = ", ".join(outcome)
            values = ", ".join(f":{name}" for name in outcome)
            connection.execute(text(f"INSERT INTO outcomes ({names}) VALUES ({values})"), outcome)
    engine.dispose()


def outcome(at: int, **more: Any) -> dict[str, Any]:
    """A row of the first schema."""
    return {
        "id": uuid.uuid4().hex, "customer": "cus_a", "key": "key_a", "subscription": "sub_a", "model": "reader",
        "at": at, "month": NOV_1, "status": 200, "code": "ok", "billable": 1, "calls": 1, "items": 1,
        "compute_us": 1500, "release": "r1", "variant": "int8", "prediction": "prd", **more,
    }  # fmt: skip


def rows_of(url: str, query: str) -> list[tuple[Any, ...]]:
    """What stands in the database."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def test_calls_made_before_there_were_roll_ups_are_added_up_by_day_and_what_they_were(bare_url: str) -> None:
    made = [
        outcome(NOV_3 + 5),
        outcome(NOV_3 + DAY - 1, calls=2, items=3),
        outcome(NOV_3 + DAY),
        outcome(NOV_3 + 6, model="other"),
        outcome(NOV_3 + 7, status=402, code="no_plan", billable=0, calls=0, items=0, subscription=None, release=None,
                variant=None, prediction=None, compute_us=0),
        outcome(NOV_3 + 8, customer="cus_b", key="key_b", subscription="sub_b"),
    ]  # fmt: skip
    first_books(bare_url, made, [])
    open_books(bare_url).close()
    found = rows_of(
        bare_url,
        "SELECT owner, subscription, bucket, model, variant, release, status, billable, customer, n, calls, items, "
        "compute_us FROM call_rollups ORDER BY subscription, bucket, model",
    )
    assert found == [
        ("", "", NOV_3, "reader", "", "", 402, 0, "cus_a", 1, 0, 0, 0),
        ("", "sub_a", NOV_3, "other", "int8", "r1", 200, 1, "cus_a", 1, 1, 1, 1500),
        ("", "sub_a", NOV_3, "reader", "int8", "r1", 200, 1, "cus_a", 2, 3, 4, 3000),
        ("", "sub_a", NOV_3 + DAY, "reader", "int8", "r1", 200, 1, "cus_a", 1, 1, 1, 1500),
        ("", "sub_b", NOV_3, "reader", "int8", "r1", 200, 1, "cus_b", 1, 1, 1, 1500),
    ]


def test_no_bucket_of_old_calls_lies_on_both_sides_of_a_closing(bare_url: str) -> None:
    closings = [{"customer": "cus_a", "starts_at": NOV_1, "ends_at": CUT, "at": CUT}]
    first_books(bare_url, [outcome(CUT - 1), outcome(CUT), outcome(CUT + 1), outcome(NOV_3 + DAY)], closings)
    open_books(bare_url).close()
    found = rows_of(bare_url, "SELECT bucket, n FROM call_rollups ORDER BY bucket")
    assert found == [(NOV_3, 1), (CUT, 2), (NOV_3 + DAY, 1)]


def test_books_without_a_single_call_are_brought_up_to_date(bare_url: str) -> None:
    first_books(bare_url, [], [])
    open_books(bare_url).close()
    assert rows_of(bare_url, "SELECT count(*) FROM call_rollups") == [(0,)]


OLD_INVOICE = """{"currency":"USD","customer":"cus_a","customer_name":"诊所","finalised_at":"2026-12-01T00:00:00Z",
"id":"inv_1","lines":[{"amount":{"amount":"2.50","currency":"USD","minor":250},"data":{"month":"2026-11"},
"description":"Clinic, 2026-11","explanation":"the monthly fee","kind":"flat_monthly","meter":null,"quantity":1,
"unit_price":{"amount":"2.50","currency":"USD"}}],"notice":"n","number":1,"period":{"end":"2026-12-01T00:00:00Z",
"start":"2026-11-01T00:00:00Z"},"plan":"clinic","plan_version":"v1","total":{"amount":"2.50","currency":"USD",
"minor":250}}"""


def test_the_name_in_an_old_invoice_moves_beside_it_and_the_books_prove_right(bare_url: str) -> None:
    first_books(bare_url, [], [])
    engine = create_engine(bare_url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO invoices (number, id, customer, starts_at, ends_at, body) "
                "VALUES (1, 'inv_1', 'cus_a', :start, :end, :body)"
            ),
            {"start": NOV_1, "end": NOV_1 + 30 * DAY, "body": OLD_INVOICE},
        )
        for number, (account, minor) in enumerate((("receivable:cus_a", 250), ("revenue:clinic:flat_monthly", -250))):
            connection.execute(
                text(
                    'INSERT INTO ledger_entries (id, "transaction", account, minor, currency, at, memo, data) '
                    "VALUES (:id, 'txn_1', :account, :minor, 'USD', :at, 'invoice 1', :data)"
                ),
                {"id": f"leg_{number}", "account": account, "minor": minor, "at": NOV_3, "data": '{"invoice":"inv_1"}'},
            )
    engine.dispose()
    books = open_books(bare_url)
    assert "诊所" not in books.journal.frozen("1")
    assert books.invoice("1").customer_name == books.journal.party("inv_1").name == "诊所"
    assert books.journal.verify(raw=True).findings == ()
    with pytest.raises(NotReplayable):
        books.journal.segment("1")
    books.close()
    with pytest.raises(DatabaseError, match="append-only"):
        rows_of(bare_url, "UPDATE invoices SET number = 2")


def test_entries_booked_before_there_was_a_chain_are_chained_and_guarded_again(bare_url: str) -> None:
    first_books(bare_url, [], [])
    engine = create_engine(bare_url)
    with engine.begin() as connection:
        for number, minor in enumerate((250, -250, 400, -400)):
            connection.execute(
                text(
                    'INSERT INTO ledger_entries (id, "transaction", account, minor, currency, at, memo, data) '
                    "VALUES (:id, :txn, 'receivable:cus_a', :minor, 'USD', :at, 'invoice', :data)"
                ),
                {"id": f"leg_{number}", "txn": f"t{number // 2}", "minor": minor, "at": NOV_3, "data": '{"n":"诊所"}'},
            )
    engine.dispose()
    books = open_books(bare_url)
    found = books.ledger()
    books.close()
    bare = [replace(entry, seq=0, hash="") for entry in found]
    assert found == list(chained(START, 0, bare))
    with pytest.raises(DatabaseError, match="append-only"):
        rows_of(bare_url, "UPDATE ledger_entries SET minor = 1")
