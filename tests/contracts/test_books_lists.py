"""Long lists in pages, and what bounds them; the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from modelmint.commerce.errors import TooManyChanges, UnknownCustomer
from modelmint.commerce.metering.errors import BadPosition
from modelmint.commerce.people.actor import FOUNDER, acting
from modelmint.commerce.people.errors import TooManyKeys
from modelmint.kit.clock import ManualClock
from modelmint.kit.period import month_of
from modelmint.store import contracts
from modelmint.store import keys as key_store
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import a_caller

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


def billed(books: SqlBooks, clock: ManualClock, count: int) -> str:
    """A customer with so many invoices, one a minute; its id."""
    caller = a_caller(books, name="Clinic North")
    for _ in range(count):
        caller.call()
        clock.advance(timedelta(minutes=1))
        books.close_period(caller.customer.id, month_of(START), "", until_now=True)
    return caller.customer.id


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 100])
def test_pages_hold_every_customer_and_key_once_in_their_order_whatever_their_size(books: SqlBooks, limit: int) -> None:
    people = [books.add_customer(f"Customer {number}", "") for number in range(6)]
    made = [books.add_key(people[number % 2].id, f"k{number}")[0] for number in range(6)]
    found, after = [], ""
    while True:
        page = books.lists.customers(after, limit)
        found += page.rows
        assert len(page.rows) <= limit
        if not (after := page.next):
            break
    assert found == people == books.customers()
    keys, after = [], ""
    while not keys or after:
        several = books.lists.keys(people[1].name, after, limit)
        keys, after = keys + list(several.rows), several.next
    assert keys == made[1::2]
    assert list(books.lists.keys(limit=100).rows) == made


def test_invoices_come_by_number_or_newest_first_and_by_where_they_stand(books: SqlBooks, clock: ManualClock) -> None:
    owner = billed(books, clock, 5)
    books.bills.pay(books.invoice("2").id)
    books.bills.void(books.invoice("4").id)
    first = books.lists.invoices(owner, "", 2)
    second = books.lists.invoices(owner, first.next, 2)
    third = books.lists.invoices(owner, second.next, 2)
    assert [[one.number for one in page.rows] for page in (first, second, third)] == [[1, 2], [3, 4], [5]]
    assert third.next == ""
    assert (*first.rows, *second.rows, *third.rows) == tuple(books.invoices(owner))
    stand = {**first.statuses, **second.statuses, **third.statuses}
    assert stand == books.bills.statuses(owner)
    backwards = books.lists.invoices(None, "", 3, newest=True)
    assert [one.number for one in backwards.rows] == [5, 4, 3] and backwards.next == "3"
    assert [one.number for one in books.lists.invoices(None, "3", 3, newest=True).rows] == [2, 1]
    for status, numbers in {"paid": [2], "void": [4], "finalised": [1, 3, 5], "uncollectible": [], "x": []}.items():
        assert [one.number for one in books.lists.invoices(status=status).rows] == numbers
    standing = books.lists.invoices(status="finalised", limit=2)
    assert [one.number for one in books.lists.invoices(None, standing.next, status="finalised").rows] == [5]
    other = books.add_customer("Clinic South", "")
    assert books.lists.invoices(other.id).rows == ()
    with pytest.raises(UnknownCustomer):
        books.lists.invoices("nobody")


@pytest.mark.parametrize("after", ["nowhere", "0x10", "\0", "9" * 40, "٣", "-1", "cus_1' OR 1=1"])
def test_a_place_that_no_page_gave_is_refused(books: SqlBooks, after: str) -> None:
    mine, yours = books.add_customer("Mine", ""), books.add_customer("Yours", "")
    foreign = books.add_key(yours.id, "k")[0]
    with pytest.raises(BadPosition):
        books.lists.customers(after)
    with pytest.raises(BadPosition):
        books.lists.invoices(mine.id, after)
    for wrong in (after, foreign.id):
        with pytest.raises(BadPosition):
            books.lists.keys(mine.id, wrong)


def test_a_customer_has_so_many_keys_that_work_and_rotation_makes_no_more(
    books: SqlBooks, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_store, "MOST_LIVING", 3)
    owner, other = books.add_customer("Mine", ""), books.add_customer("Other", "")
    first = books.add_key(owner.id, "a")[0]
    books.add_key(owner.id, "b", expires_at=START + timedelta(hours=1))
    books.people.rotate(first.id, timedelta(days=90))
    newest = books.keys(owner.id)[-1]
    with pytest.raises(TooManyKeys):
        books.add_key(owner.id, "c")
    with pytest.raises(TooManyKeys):
        books.people.rotate(newest.id, timedelta(days=90))
    assert len(books.keys(owner.id)) == 3
    books.add_key(other.id, "a")
    clock.advance(timedelta(hours=2))  # one has ended
    books.add_key(owner.id, "c")
    with pytest.raises(TooManyKeys):
        books.add_key(owner.id, "d")
    books.revoke_key(newest.id)
    books.add_key(owner.id, "d")


def test_anybody_but_the_founder_changes_plans_so_often_in_a_billing_period(
    books: SqlBooks, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contracts, "MOST_CHANGES", 4)
    caller = a_caller(books)
    owner = caller.customer.id
    with acting(f"customer:{owner}"):
        books.contracts.change(owner, "clinic", START + timedelta(days=1))
        books.contracts.change(owner, "payg", START + timedelta(days=2))
        books.contracts.unschedule(owner)  # gives nothing back: each was a change
        books.contracts.change(owner, "clinic", "period_end")
        with pytest.raises(TooManyChanges):
            books.contracts.change(owner, "payg", START + timedelta(days=60))
        with pytest.raises(TooManyChanges):
            books.contracts.pause(owner)
        books.contracts.cancel(owner)  # whoever wants to go can go
    assert books.contracts.current(owner) is None
    with acting(FOUNDER):
        books.contracts.change(owner, "payg")
    with acting(f"customer:{owner}"), pytest.raises(TooManyChanges):
        books.contracts.change(owner, "clinic")
    clock.advance(timedelta(days=31))
    with acting(f"customer:{owner}"):
        books.contracts.change(owner, "clinic")
    held = books.contracts.current(owner)
    assert held is not None and held.plan == "clinic"
