"""Keys: scopes, ends, rotation with overlap, last use; the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from modelmint.commerce.errors import BadName, Unauthenticated, UnknownKey
from modelmint.commerce.people.errors import BadExpiry, BadScope, KeyEnded, KeyLacksScope
from modelmint.commerce.people.scopes import DEFAULT, SCOPES
from modelmint.kit.clock import ManualClock
from modelmint.kit.digest import digest_bytes
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


def digest(secret: str) -> str:
    return digest_bytes(secret.encode())


def test_a_new_key_may_do_all_that_a_customer_may_and_nothing_of_a_partner(books: SqlBooks) -> None:
    key = a_caller(books).key
    assert key.scopes == DEFAULT
    assert set(SCOPES) - set(DEFAULT) == {"partner"}
    assert (key.expires_at, key.replaces, key.last_used_at) == (None, None, None)


def test_scopes_are_kept_sorted_and_once(books: SqlBooks) -> None:
    caller = a_caller(books)
    key, secret = books.add_key(caller.customer.id, "till", ["usage", "predict", "usage"])
    assert key.scopes == ("predict", "usage")
    assert books.key_by_digest(digest(secret)) == books.people.key(key.id) == key


def test_every_wrong_scope_is_named_and_nothing_is_stored(books: SqlBooks) -> None:
    caller = a_caller(books)
    with pytest.raises(BadScope) as refused:
        books.add_key(caller.customer.id, "till", ["predikt", "everything"])
    assert len(refused.value.problems) == 2
    assert "'predict'" in str(refused.value)
    with pytest.raises(BadScope, match="at least one"):
        books.add_key(caller.customer.id, "till", [])
    assert books.keys() == [caller.key]


def test_an_end_in_the_past_or_without_a_time_zone_is_refused(books: SqlBooks) -> None:
    caller = a_caller(books)
    for end in (START, START - timedelta(days=1), datetime(2027, 1, 1)):
        with pytest.raises(BadExpiry):
            books.add_key(caller.customer.id, "till", expires_at=end)
    assert books.keys() == [caller.key]


def test_a_key_is_good_up_to_its_end_and_not_at_it(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    key, secret = books.add_key(caller.customer.id, "till", expires_at=START + timedelta(hours=1))
    brief = Caller(books, caller.customer, key, secret)
    clock.advance(timedelta(hours=1) - timedelta(microseconds=1))
    assert brief.call()[0].billable
    assert books.key_by_digest(digest(secret)).id == key.id
    clock.advance(timedelta(microseconds=1))
    with pytest.raises(Unauthenticated, match="expired"):
        books.key_by_digest(digest(secret))
    with pytest.raises(Unauthenticated):
        brief.reserve()


def test_a_call_with_a_key_that_may_not_predict_is_refused_and_leaves_a_row(books: SqlBooks) -> None:
    caller = a_caller(books)
    key, secret = books.add_key(caller.customer.id, "accountant", ["invoices"])
    with pytest.raises(KeyLacksScope, match="predict"):
        Caller(books, caller.customer, key, secret).reserve()
    assert books.counts() == {("reader", 403, "key_lacks_scope"): 1}


def test_both_keys_work_while_a_rotation_overlaps_and_then_the_new_one_only(
    books: SqlBooks, clock: ManualClock
) -> None:
    caller = a_caller(books)
    made, secret = books.people.rotate(caller.key.id, timedelta(hours=2))
    assert (made.name, made.scopes, made.replaces) == (caller.key.name, caller.key.scopes, caller.key.id)
    new = Caller(books, caller.customer, made, secret)
    clock.advance(timedelta(hours=2) - timedelta(seconds=1))
    assert caller.call()[0].billable and new.call()[0].billable
    clock.advance(timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        caller.reserve()
    assert new.call()[0].billable


def test_a_rotation_without_overlap_ends_the_former_key_at_once(books: SqlBooks) -> None:
    caller = a_caller(books)
    caller.call()
    made, secret = books.people.rotate(caller.key.id, timedelta(0))
    with pytest.raises(Unauthenticated):
        caller.reserve()
    assert Caller(books, caller.customer, made, secret).call()[0].billable


def test_a_rotation_does_not_lengthen_the_life_of_either_key(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    end = START + timedelta(hours=3)
    brief, _ = books.add_key(caller.customer.id, "till", ["predict"], end)
    made, _ = books.people.rotate(brief.id, timedelta(days=2))
    assert made.expires_at == books.people.key(brief.id).expires_at == end
    assert made.scopes == ("predict",)


def test_a_key_that_ended_or_was_replaced_cannot_be_rotated(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    made, _ = books.people.rotate(caller.key.id)
    with pytest.raises(KeyEnded, match=made.id):
        books.people.rotate(caller.key.id)
    books.revoke_key(made.id)
    with pytest.raises(KeyEnded, match="revoked"):
        books.people.rotate(made.id)
    brief, _ = books.add_key(caller.customer.id, "till", expires_at=START + timedelta(hours=1))
    clock.advance(timedelta(hours=1))
    with pytest.raises(KeyEnded, match="expired"):
        books.people.rotate(brief.id)
    with pytest.raises(UnknownKey):
        books.people.rotate("key_none")
    assert len(books.keys()) == 3


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=91)])
def test_an_overlap_that_is_none_is_refused_and_nothing_changes(books: SqlBooks, overlap: timedelta) -> None:
    caller = a_caller(books)
    with pytest.raises(BadExpiry):
        books.people.rotate(caller.key.id, overlap)
    assert books.keys() == [caller.key]


def test_a_key_remembers_its_last_call(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    clock.advance(timedelta(minutes=5))
    caller.call()
    assert books.people.key(caller.key.id).last_used_at == START + timedelta(minutes=5)


def test_a_keys_name_that_could_forge_a_line_is_refused(books: SqlBooks) -> None:
    caller = a_caller(books)
    with pytest.raises(BadName):
        books.add_key(caller.customer.id, "till\nTotal")
