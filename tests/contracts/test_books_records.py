"""Customers, keys, deployments, and the database itself, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from modelmint.commerce.errors import BadName, CustomerExists, UnknownCustomer, UnknownKey, UnknownReservation
from modelmint.kit.clock import ManualClock
from modelmint.kit.digest import digest_bytes
from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.errors import BooksUnavailable, NewerBooks
from modelmint.store.open import open_books
from modelmint.store.process import Process, this_process
from modelmint.store.schema import APPEND_ONLY, metadata
from modelmint.testing.books import a_caller, some_plans

if TYPE_CHECKING:
    from conftest import Postgres

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database in which nothing was ever made."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/below/books.sqlite"
    return str(request.getfixturevalue("postgres").empty_database())


def execute(url: str, statement: str) -> None:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


def test_a_customer_is_found_by_id_and_by_exact_name(books: SqlBooks) -> None:
    north = books.add_customer("Clinic North", "n@example.org")
    assert books.customer(north.id) == books.customer("Clinic North") == north
    assert north.created_at == START
    with pytest.raises(UnknownCustomer, match="Clinic North"):
        books.customer("Clinic Nort")
    with pytest.raises(CustomerExists):
        books.add_customer("Clinic North", "other@example.org")
    assert books.customers() == [north]


BAD_NAMES = {
    "": "1 to 500 characters, found 0",
    " \t ": "1 to 500 characters, found 0",
    "x" * 501: "found 501",
    "Clinic\nTotal  0.00 USD": r"U\+000A",
    "Clinic\x00": r"U\+0000",
    "Clinic\u2028North": r"U\+2028",
    "Clinic \udcff": r"U\+DCFF",
    "cus_north": "like an id",
    "key_north": "like an id",
}


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_could_not_stand_on_an_invoice_is_refused_for_customers_and_keys(
    books: SqlBooks, name: str
) -> None:
    north = books.add_customer("  Clinic North ", "n@example.org")
    assert north.name == "Clinic North"
    with pytest.raises(BadName, match="customer's name") as refused:
        books.add_customer(name, "")
    assert re.search(BAD_NAMES[name], str(refused.value))
    with pytest.raises(BadName, match="key's name"):
        books.add_key(north.id, name)
    with pytest.raises(UnknownCustomer):
        books.customer(name)
    assert books.customers() == [north]
    assert books.keys() == []


@pytest.mark.parametrize("rows", ["id first", "name first"])
def test_an_id_is_found_before_a_name_that_equals_it(books: SqlBooks, url: str, rows: str) -> None:
    def insert(identity: str, name: str) -> None:
        execute(url, f"INSERT INTO customers (id, name, email, created_at) VALUES ('{identity}', '{name}', '', 0)")

    pairs = [("cus_a", "North"), ("cus_b", "cus_a")]
    for pair in pairs if rows == "id first" else reversed(pairs):
        insert(*pair)
    assert books.customer("cus_a").name == "North"
    assert books.customer("cus_b").name == "cus_a"


def test_customers_keys_and_plans_are_listed_in_the_order_of_their_coming(books: SqlBooks, clock: ManualClock) -> None:
    names = [f"{number * 7919 % 20}" for number in range(20)]
    made = [books.add_customer(name, "") for name in names]
    assert books.customers() == made
    keys = [books.add_key("3", name)[0] for name in names]
    assert books.keys() == keys
    books.put_plans(some_plans())
    held = []
    for name in ("payg", "clinic", "payg", "strict", "payg"):
        held.append(books.subscribe("3", name).id)
        clock.advance(timedelta(seconds=1))
    assert [one.id for one in books.subscriptions("3")] == held
    assert [plan.name for plan in books.plans()] == ["trial", "payg", "clinic", "strict"]


def test_a_secret_is_shown_once_and_only_its_digest_is_stored(books: SqlBooks, url: str) -> None:
    caller = a_caller(books)
    assert caller.secret.startswith("mm_")
    assert len(caller.secret) == 3 + 43  # 256 bits in base64
    assert books.key_by_digest(digest_bytes(caller.secret.encode())) == caller.key
    assert caller.key.hint == caller.secret[:7]
    engine = create_engine(url)
    with engine.connect() as connection:
        stored = [str(row) for name in metadata.tables for row in connection.execute(text(f"SELECT * FROM {name}"))]
    engine.dispose()
    assert stored
    assert not any(caller.secret in row for row in stored)


def test_revoking_twice_keeps_the_first_moment(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    revoked = books.revoke_key(caller.key.id)
    clock.advance(timedelta(days=1))
    assert books.revoke_key(caller.key.id) == revoked
    assert revoked.revoked_at == START
    assert books.keys(caller.customer.name) == books.keys() == [revoked]
    with pytest.raises(UnknownKey):
        books.revoke_key("key_none")


def test_the_newest_deployment_of_a_name_counts_and_history_stays(books: SqlBooks, clock: ManualClock) -> None:
    for release in ("r1", "r2", "r1"):
        books.deploy("xray", release, "model", "int8")
        clock.advance(timedelta(minutes=1))
    books.deploy("adult", "r9", "model", None)
    assert [(one.name, one.release, one.variant) for one in books.deployments()] == [
        ("adult", "r9", None),
        ("xray", "r1", "int8"),
    ]
    assert [one.release for one in books.deployment_history("xray")] == ["r1", "r2", "r1"]
    assert books.deployment_history("ghost") == []


def test_the_database_itself_refuses_to_change_history(books: SqlBooks, url: str) -> None:
    caller = a_caller(books)
    caller.call()
    books.deploy("xray", "r1", "model", None)
    books.close_period(caller.customer.id, month_of(START), "", until_now=True)
    fill(url, "deliveries", caller.customer.id)  # of the message "x", which may go only after it
    for table in APPEND_ONLY:
        column = next(iter(metadata.tables[table].columns)).name
        fill(url, table, caller.customer.id)
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):
            with pytest.raises(DatabaseError, match="append-only"):
                execute(url, statement)


def fill(url: str, table: str, customer: str) -> None:
    """A row that means nothing: SQLite's triggers fire for rows, not for statements."""
    columns = metadata.tables[table].columns
    row: dict[str, object] = {one.name: "x" if one.type.python_type is str else 9999 for one in columns}
    row |= {"customer": customer} if "customer" in row else {}
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(metadata.tables[table].insert().values(row))
    engine.dispose()


def test_the_migrations_from_zero_make_exactly_the_schema(empty: str) -> None:
    open_books(empty).close()
    engine = create_engine(empty)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_many_openers_of_an_empty_database_migrate_it_once(empty: str) -> None:
    failures: list[BaseException] = []

    def opener() -> None:
        try:
            open_books(empty).close()
        except BaseException as error:
            failures.append(error)

    openers = [threading.Thread(target=opener) for _ in range(6)]
    for thread in openers:
        thread.start()
    for thread in openers:
        thread.join()
    assert failures == []


def test_books_of_a_newer_modelmint_are_left_alone(new_url: Callable[[], str]) -> None:
    url = new_url()
    open_books(url).close()
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerBooks, match="upgrade Modelmint"):
        open_books(url)


def test_closed_books_say_so(url: str) -> None:
    books = open_books(url)
    caller = a_caller(books)
    caller.call()
    books.close()
    with pytest.raises(BooksUnavailable):
        caller.reserve()


def test_reservations_of_dead_processes_are_released_and_never_billed(
    books: SqlBooks, clock: ManualClock, url: str
) -> None:
    caller = a_caller(books, "trial")
    for _ in range(3):
        caller.reserve()
    retried = {"idempotency_key": "x", "body_digest": "y"}
    caller.reserve(**retried)
    alive = caller.reserve()
    me = this_process()
    dead = Process(me.host, me.boot, me.space, 2**22 + 1, "1")
    execute(url, f"UPDATE reservations SET owner = '{dead}' WHERE id <> '{alive.reservation}'")
    assert books.release_stale() == 4
    assert books.release_stale() == 0
    assert books.counts() == {("reader", 499, "released"): 4}
    assert not any(row.billable for row in books.outcomes())
    assert caller.settle(alive).billable
    assert caller.reserve(**retried).remaining == 3


def test_a_reservation_elsewhere_is_released_when_its_lease_ends(books: SqlBooks, clock: ManualClock, url: str) -> None:
    caller = a_caller(books)
    admitted = caller.reserve()
    me = this_process()
    elsewhere = Process("another-host", me.boot, "pid:[1]", 7, "1")
    execute(url, f"UPDATE reservations SET owner = '{elsewhere}'")
    assert books.release_stale() == 0
    clock.advance(timedelta(minutes=10))
    assert books.release_stale() == 1
    with pytest.raises(UnknownReservation, match="must not go out"):
        caller.settle(admitted)


def test_a_pid_that_came_back_is_not_the_process_that_died(books: SqlBooks, url: str) -> None:
    caller = a_caller(books)
    caller.reserve()
    me = this_process()
    former = Process(me.host, me.boot, me.space, os.getpid(), "1")
    execute(url, f"UPDATE reservations SET owner = '{former}'")
    assert books.release_stale() == 1


def test_a_postgresql_given_by_its_url_is_left_with_the_databases_it_had(
    postgres: Postgres, given_postgres: Callable[[str], Postgres]
) -> None:
    here = postgres.empty_database()

    def databases() -> set[str]:
        engine = create_engine(here)
        with engine.connect() as connection:
            found = set(connection.scalars(text("SELECT datname FROM pg_database")))
        engine.dispose()
        return found

    before = databases()
    server = given_postgres(here.replace("+psycopg", ""))
    books = open_books(server.new_database())
    assert a_caller(books).call()[0].billable
    books.close()
    assert len(databases() - before) == 2
    server.remove()
    assert databases() == before


def test_books_that_a_test_leaves_open_hold_no_connection_after_it(
    postgres: Postgres, given_postgres: Callable[[str], Postgres]
) -> None:
    server = given_postgres(postgres.empty_database())
    left = open_books(server.new_database())
    assert a_caller(left).call()[0].billable
    server.clear()
    with pytest.raises(BooksUnavailable):
        left.customers()
    open_books(server.new_database()).close()  # the template is there still
    server.remove()
    left.close()
