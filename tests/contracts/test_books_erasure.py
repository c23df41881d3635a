"""Erasure: the person goes, the books stand and verify; the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DatabaseError

from modelmint.commerce.documents import plan_json
from modelmint.commerce.errors import Unauthenticated, UnknownCustomer
from modelmint.commerce.ledger.replay import replay
from modelmint.commerce.metering.types import UsageEvent
from modelmint.commerce.people.errors import CustomerErased, ErasureWaits
from modelmint.kit.clock import ManualClock
from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.store.schema import metadata
from modelmint.testing.books import Caller, a_caller

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
#: What must not be found anywhere afterwards.
PERSONAL = (
    "Zephyrine Quackenbush",
    "zephyrine.quackenbush@example.org",
    "patient-7713",
    "bedside-unit-9",
    "Zephyrines laptop",
    "org.quackenbush.sample.zephyrine",
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


@pytest.fixture
def person(books: SqlBooks, clock: ManualClock) -> Caller:
    """Called, reported events, was billed, and paid; other customers came before and after."""
    a_caller(books, name="Clinic South").call()
    caller = a_caller(books, name=PERSONAL[0])
    books.add_key(caller.customer.id, PERSONAL[4])
    caller.call(times=3)
    books.outbox.add_endpoint(caller.customer.id, "https://quackenbush.example/hook")
    event = UsageEvent(
        source=PERSONAL[3],
        id="1",
        type=PERSONAL[5],
        time=START,
        meter="patients",
        value=PERSONAL[2],
        subject=PERSONAL[2],
        data={"patient": PERSONAL[2]},
    )
    books.meters.record(caller.customer.id, caller.key.id, [event])
    a_caller(books, name="Clinic West").call()
    return caller


def settle(books: SqlBooks, person: Caller, clock: ManualClock) -> None:
    """Nothing is open any more."""
    books.contracts.cancel(person.customer.id, "now")
    clock.advance(timedelta(seconds=1))
    for invoice in books.close_period(person.customer.id, month_of(START), "", until_now=True):
        if invoice.due.minor:
            books.bills.pay(invoice.id, "cash")


def everything(url: str) -> str:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [str(row) for name in metadata.tables for row in connection.execute(text(f"SELECT * FROM {name}"))]
    engine.dispose()
    return "\n".join(found)


def test_nothing_personal_is_left_in_any_table_and_the_books_verify(
    books: SqlBooks, person: Caller, clock: ManualClock, url: str
) -> None:
    settle(books, person, clock)
    before, entries = books.invoices(person.customer.id), books.ledger()
    assert all(word in everything(url) for word in PERSONAL[:4])
    done = books.people.erase(person.customer.id)
    assert (done.keys, done.endpoints, done.events) == (2, 1, 1)
    left = everything(url)
    assert [word for word in (*PERSONAL, "quackenbush") if word.lower() in left.lower()] == []
    assert books.ledger() == entries
    assert books.journal.verify(raw=True).findings == ()
    after = books.invoices(person.customer.id)
    assert [one.total for one in after] == [one.total for one in before]
    assert {one.customer_name for one in after} == {done.pseudonym}
    for one in after:
        plan = plan_json.to_json(books.plan(one.plan, one.plan_version))
        assert replay(books.journal.segment(one.id), plan, one.releases).problems == ()


def test_no_byte_of_it_lies_in_the_database_files(clock: ManualClock, tmp_path: Path) -> None:
    file = tmp_path / "books.sqlite"
    books = open_books(f"sqlite:///{file}", clock, "reader")
    for number in range(300):  # pages split, so that stale copies of rows lie about
        books.add_customer(f"Customer {number * 7919 % 300:03}", "x" * 200)
    caller = a_caller(books, plan=None, name=PERSONAL[0])
    books.add_key(caller.customer.id, PERSONAL[4])
    for number in range(300):
        books.add_customer(f"Later {number * 7919 % 300:03}", "x" * 200)

    def bytes_on_disk() -> bytes:
        return b"".join(one.read_bytes() for one in tmp_path.iterdir()).lower()

    assert PERSONAL[0].lower().encode() in bytes_on_disk()
    assert books.people.erase(caller.customer.id).scrubbed
    found = [word for word in (*PERSONAL, "zephyrine", "quackenbush") if word.lower().encode() in bytes_on_disk()]
    assert found == []
    books.close()
    assert sqlite3.connect(file).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_keys_of_an_erased_customer_open_nothing_and_nothing_new_begins(
    books: SqlBooks, person: Caller, clock: ManualClock
) -> None:
    settle(books, person, clock)
    books.people.erase(person.customer.id)
    with pytest.raises(Unauthenticated):
        person.reserve()
    with pytest.raises(UnknownCustomer):
        books.customer(person.customer.name)
    with pytest.raises(CustomerErased):
        books.add_key(person.customer.id, "again")
    with pytest.raises(CustomerErased):
        books.subscribe(person.customer.id, "payg")
    assert books.customer(person.customer.id).erased_at == clock.now()


def test_others_go_on_calling_after_an_erasure_in_every_process(
    books: SqlBooks, person: Caller, clock: ManualClock, url: str
) -> None:
    neighbour = a_caller(books, name="Clinic East")
    elsewhere = open_books(url, clock, "reader")
    there = Caller(elsewhere, neighbour.customer, neighbour.key, neighbour.secret)
    for one in (neighbour, there):
        one.call(times=5)
    settle(books, person, clock)
    assert books.people.erase(person.customer.id).scrubbed
    for one in (neighbour, there):
        one.call(times=5)
    with pytest.raises(Unauthenticated):
        Caller(elsewhere, person.customer, person.key, person.secret).reserve()
    assert books.journal.verify(raw=True).findings == ()
    elsewhere.close()


def test_erasure_waits_until_nothing_is_open_and_names_all_that_is(
    books: SqlBooks, person: Caller, clock: ManualClock
) -> None:
    with pytest.raises(ErasureWaits) as refused:
        books.people.erase(person.customer.id)
    assert any("payg" in problem for problem in refused.value.problems)
    assert any("usage" in problem for problem in refused.value.problems)
    books.contracts.cancel(person.customer.id, "now")
    clock.advance(timedelta(seconds=1))
    books.close_period(person.customer.id, month_of(START), "", until_now=True)
    with pytest.raises(ErasureWaits) as refused:
        books.people.erase(person.customer.id)
    assert [problem.endswith("is not paid") for problem in refused.value.problems] == [True]
    assert books.customer(person.customer.id).name == person.customer.name
    assert books.key_by_digest(person.digest).id == person.key.id


def test_a_forced_erasure_bills_what_was_open_to_the_pseudonym(
    books: SqlBooks, person: Caller, clock: ManualClock
) -> None:
    done = books.people.erase(person.customer.id, force=True)
    clock.advance(timedelta(days=30))
    (invoice,) = books.close_period(person.customer.id, month_of(START), "")
    assert (invoice.customer_name, invoice.total.minor) == (done.pseudonym, 6)


def test_erasing_twice_changes_nothing(books: SqlBooks, person: Caller, clock: ManualClock) -> None:
    settle(books, person, clock)
    first = books.people.erase(person.customer.id)
    noted = len(books.people.audit(person.customer.id))
    clock.advance(timedelta(days=1))
    again = books.people.erase(person.customer.id)
    assert (again.pseudonym, again.erased_at, again.keys) == (first.pseudonym, first.erased_at, 0)
    assert len(books.people.audit(person.customer.id)) == noted


def test_the_database_lets_events_be_emptied_only_for_who_is_erased_and_never_their_figures(
    books: SqlBooks, person: Caller, clock: ManualClock, url: str
) -> None:
    def change(statement: str) -> None:
        engine = create_engine(url)
        try:
            with engine.begin() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()

    with pytest.raises(DatabaseError, match="append-only"):
        change("UPDATE events SET subject = ''")
    settle(books, person, clock)
    books.people.erase(person.customer.id)
    change("UPDATE events SET subject = 'x'")
    for figure in (
        "quantity = 0",
        "model = 'x'",
        "state = 'x'",
        "customer = 'cus_x'",
        "time = 0",
        "meter = 'calls'",
        "subscription = NULL",
    ):
        with pytest.raises(DatabaseError, match="append-only"):
            change(f"UPDATE events SET {figure}")
    with pytest.raises(DatabaseError, match="append-only"):
        change("DELETE FROM events")


def test_different_values_stay_different_so_that_counts_stand(
    books: SqlBooks, person: Caller, clock: ManualClock, url: str
) -> None:
    values = ["a", "b", "a", "c"]
    made = [
        UsageEvent("till", str(place), "dev.modelmint.usage", START, "patients", Decimal(1), value)
        for place, value in enumerate(values)
    ]
    books.meters.record(person.customer.id, person.key.id, made)
    settle(books, person, clock)
    books.people.erase(person.customer.id)
    engine = create_engine(make_url(url))
    with engine.connect() as connection:
        left = connection.execute(text("SELECT value, count(*) FROM events GROUP BY value")).all()
        counted = connection.execute(text("SELECT value FROM uniques")).scalars().all()
    engine.dispose()
    assert sorted(count for _, count in left) == [1, 1, 1, 2]
    assert set(counted) <= {value for value, _ in left}
