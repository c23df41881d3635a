"""Visitors' tries and what they leave; the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from modelmint.commerce.visitors.errors import BadLead, TriesSpent, UnknownLead
from modelmint.commerce.visitors.types import Bounds, Visitor
from modelmint.kit.clock import ManualClock
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import START

BOUNDS = Bounds(visitor=2, address=3, everybody=5)


def who(visitor: str, address: str = "a") -> Visitor:
    return Visitor(visitor, address)


def test_a_visitor_an_address_and_everybody_have_bounds_of_their_own(books: SqlBooks, clock: ManualClock) -> None:
    take = books.visitors.take
    assert [take(who("one"), BOUNDS), take(who("one"), BOUNDS)] == [1, 0]
    with pytest.raises(TriesSpent, match="your 2 tries"):
        take(who("one"), BOUNDS)
    assert take(who("two"), BOUNDS) == 1
    with pytest.raises(TriesSpent, match="from your network") as spent:
        take(who("three"), BOUNDS)
    assert spent.value.retry_after == 12 * 3600  # it is noon
    take(who("four", "b"), BOUNDS)
    take(who("five", "b"), BOUNDS)
    with pytest.raises(TriesSpent, match="all 5 tries of today"):
        take(who("six", "c"), BOUNDS)
    clock.advance(timedelta(days=1))
    assert take(who("six", "a"), BOUNDS) == 1
    with pytest.raises(TriesSpent, match="your 2 tries"):
        take(who("one"), BOUNDS)  # a visitor's own do not come back


def test_a_try_that_came_to_nothing_is_given_back(books: SqlBooks) -> None:
    visitors, bounds = books.visitors, Bounds(1, 1, 1)
    visitors.take(who("one"), bounds)
    visitors.give_back(who("one"))
    assert visitors.left(who("one"), bounds) == 1
    visitors.take(who("one"), bounds)
    assert visitors.left(who("one"), bounds) == 0
    assert visitors.take(who("one"), bounds, "word ") == 0  # another kind counts apart


def test_what_could_not_be_used_is_bounded_by_address_and_day_and_uses_no_try(
    books: SqlBooks, clock: ManualClock
) -> None:
    visitors, bounds = books.visitors, Bounds(2, 3, 5, refused=2)
    for name in ("one", "two"):
        assert visitors.take(who(name), bounds) == 1
        visitors.refused(who(name))
        visitors.give_back(who(name))
    with pytest.raises(TriesSpent, match="2 tries of today from your network could not be used") as spent:
        visitors.take(who("three"), bounds)
    assert spent.value.retry_after == 12 * 3600  # it is noon
    assert visitors.left(who("three"), bounds) == 2
    assert visitors.take(who("three"), BOUNDS) == 1  # another bound, another count
    assert visitors.take(who("four", "b"), bounds) == 1
    clock.advance(timedelta(days=1))
    assert visitors.take(who("one"), bounds) == 1


def test_a_form_that_is_sent_twice_in_a_day_uses_one_try(books: SqlBooks, clock: ManualClock) -> None:
    visitors, bounds = books.visitors, Bounds(2, 2, 2)
    assert [visitors.take(who("one"), bounds, form="f") for _ in range(3)] == [1, None, None]
    visitors.give_back(who("one"), form="f")
    assert [visitors.take(who("one"), bounds, form="f"), visitors.take(who("one"), bounds, form="g")] == [1, 0]
    assert visitors.take(who("one"), bounds, form="f") is None  # with no try left
    clock.advance(timedelta(days=3))
    visitors.purge(clock.now(), timedelta(days=180))
    with pytest.raises(TriesSpent):
        visitors.take(who("one"), bounds, form="f")


def test_fifty_at_once_never_use_more_than_there_are(books: SqlBooks) -> None:
    bounds, taken = Bounds(100, 100, 7), []

    def one(place: int) -> None:
        try:
            taken.append(books.visitors.take(who(str(place), str(place)), bounds) or 0)
        except TriesSpent:
            taken.append(-1)

    threads = [threading.Thread(target=one, args=(place,)) for place in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found >= 0 for found in taken) == 7


@pytest.mark.parametrize(
    ("email", "comment", "consent"),
    [
        ("", "", None),
        ("ada@example.org", "", None),
        ("not an address", "", "yes"),
        ("a@b", "", "yes"),
        ("ada@example.org\nBcc: all@example.org", "", "yes"),
        ("", "x" * 2001, None),
        ("", "bell\x07", None),
    ],
)
def test_what_cannot_be_kept_is_refused(books: SqlBooks, email: str, comment: str, consent: str | None) -> None:
    with pytest.raises(BadLead):
        books.visitors.leave(email, comment, prediction=None, language="en", consent=consent)
    assert list(books.visitors.all_leads()) == []


def test_leads_are_listed_forgotten_by_address_and_purged_by_age(books: SqlBooks, clock: ManualClock) -> None:
    visitors = books.visitors
    old = visitors.leave("Ada@Example.org", "first", prediction=None, language="en", consent="yes")
    clock.advance(timedelta(days=10))
    word = visitors.leave("", "only a word", prediction="prd_" + "x" * 24, language="zh", consent=None)
    again = visitors.leave("ada@example.org", "", prediction=None, language="en", consent="yes")
    assert [lead.id for lead in visitors.leads()] == [again.id, word.id, old.id]
    assert [lead.id for lead in visitors.leads(before=again.id, limit=1)] == [word.id]
    assert visitors.purge(clock.now(), timedelta(days=5)) == 1
    assert visitors.forget("ADA@example.org") == 1
    with pytest.raises(UnknownLead):
        visitors.forget("ada@example.org")
    assert [lead.comment for lead in visitors.all_leads()] == ["only a word"]
    assert visitors.forget(word.id) == 1


def test_counts_are_forgotten_when_nobody_asks_for_them_any_more(books: SqlBooks, clock: ManualClock) -> None:
    books.visitors.take(who("one"), BOUNDS)
    books.visitors.take(who("one"), BOUNDS)
    clock.advance(timedelta(days=3))
    books.visitors.purge(clock.now(), timedelta(days=365))
    with pytest.raises(TriesSpent):
        books.visitors.take(who("one"), BOUNDS)
    clock.advance(timedelta(days=28))
    books.visitors.purge(clock.now(), timedelta(days=365))
    assert books.visitors.take(who("one"), BOUNDS) == 1


def test_no_byte_of_an_erased_lead_lies_in_the_database_files(tmp_path: Path) -> None:
    books = open_books(f"sqlite:///{tmp_path / 'books.sqlite'}", ManualClock(START))
    for number in range(100):
        books.visitors.leave(f"someone{number}@example.org", "x" * 300, prediction=None, language="en", consent="yes")
    books.visitors.leave("zephyrine@quackenbush.example", "Zephyrine", prediction=None, language="en", consent="yes")

    def on_disk() -> bytes:
        return b"".join(one.read_bytes() for one in tmp_path.iterdir()).lower()

    assert b"quackenbush" in on_disk()
    books.visitors.forget("zephyrine@quackenbush.example")
    assert b"quackenbush" not in on_disk() and b"zephyrine" not in on_disk()
    books.close()
    assert sqlite3.connect(tmp_path / "books.sqlite").execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("prediction", ["", "a\0b", "=1+1", "prd_" + "x" * 60_000, "prd_'"])
def test_only_a_predictions_name_is_kept_beside_what_is_left(books: SqlBooks, prediction: str) -> None:
    with pytest.raises(BadLead, match="cannot be kept"):
        books.visitors.leave("", "hello", prediction=prediction, language="en", consent=None)
    assert books.visitors.leads() == []
