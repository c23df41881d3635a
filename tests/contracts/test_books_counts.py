"""How many calls there were of each kind, as /metrics tells it; on both databases."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from modelmint.kit.clock import ManualClock
from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import START, Caller, a_caller

DAY = timedelta(days=1)
CALLER = Path(__file__).with_name("caller_process.py")
OK, BROKEN = ("reader", 200, "ok"), ("reader", 500, "engine_failed")


@contextmanager
def asked(books: SqlBooks) -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """The statements about roll-ups that are run meanwhile, and their values."""
    found: list[tuple[str, tuple[Any, ...]]] = []

    def note(_c: object, _u: object, statement: str, values: Any, *_rest: object) -> None:
        if "call_rollups" in statement:
            found.append((statement, tuple(values.values()) if isinstance(values, dict) else tuple(values)))

    event.listen(books._database._engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(books._database._engine, "before_cursor_execute", note)


def test_books_without_calls_count_nothing(books: SqlBooks) -> None:
    assert books.counts() == {}
    a_caller(books)
    assert books.counts() == {}


def test_counts_are_right_on_every_day_whoever_asked_when(
    url: str, books: SqlBooks, clock: ManualClock, new_url: Callable[[], str]
) -> None:
    caller, rarely = a_caller(books), open_books(url, clock)
    served = failed = 0
    for day in range(9):
        for _ in range(2):
            caller.call(3)
            caller.settle(caller.reserve(), 500, "engine_failed")
            served, failed = served + 1, failed + 1
            assert books.counts() == {OK: served, BROKEN: failed}
        if day % 4 == 3:
            assert rarely.counts() == {OK: served, BROKEN: failed}
        clock.advance(DAY)
        assert books.counts() == {OK: served, BROKEN: failed}
    clock.advance(timedelta(days=400))
    for one in (books, rarely, books):
        assert one.counts() == {OK: served, BROKEN: failed}
    rarely.close()


def test_days_that_are_over_are_read_once_and_remembered(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    for _ in range(6):
        caller.call()
        clock.advance(DAY)
    with asked(books) as statements:
        assert books.counts() == {OK: 6}
        first = len(statements)
        assert books.counts() == books.counts() == {OK: 6}
    since = int((datetime(2026, 11, 14, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
    assert (first, len(statements)) == (2, 4)
    assert [">= " in statement for statement, _ in statements] == [False, True, True, True]
    assert {values for _, values in statements} == {(since,)}
    clock.advance(DAY)
    with asked(books) as statements:
        assert books.counts() == {OK: 6}
    assert len(statements) == 2


def test_a_clock_that_goes_back_a_day_loses_no_count_and_doubles_none(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    clock.advance(10 * DAY)
    caller.call(times=2)
    assert books.counts() == {OK: 2}
    clock.advance(-DAY)
    caller.call(times=3)
    assert books.counts() == {OK: 5}
    clock.advance(DAY)
    assert books.counts() == {OK: 5}


def test_a_closing_in_the_middle_of_a_day_changes_no_count(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    caller.call(times=4)
    assert books.counts() == {OK: 4}
    books.close_period(caller.customer.id, month_of(START), "", until_now=True)
    caller.call(times=2)
    for _ in range(5):
        assert books.counts() == {OK: 6}
        clock.advance(DAY)


def test_what_others_counted_is_counted_here_by_the_next_look(url: str, books: SqlBooks, clock: ManualClock) -> None:
    caller, others = a_caller(books), open_books(url, clock)
    elsewhere = replace(caller, books=others)
    for day in range(1, 6):
        assert books.counts() == others.counts()
        caller.call(times=2)
        elsewhere.call(times=3)
        assert books.counts() == others.counts() == {OK: 5 * day}
        clock.advance(DAY)
    others.close()
    assert books.counts() == {OK: 25}


def test_what_other_processes_counted_is_counted_here(url: str) -> None:
    books = open_books(url)
    caller = a_caller(books)
    caller.call(times=3)
    assert books.counts() == {OK: 3}
    for number in range(1, 3):
        running = [in_another_process(url, caller) for _ in range(2)]
        assert [process.wait(120) for process in running] == [0, 0]
        assert books.counts() == {OK: 3 + number * 2 * 2 * 10}
    books.close()


def in_another_process(url: str, caller: Caller) -> subprocess.Popen[bytes]:
    """Two threads that call ten times each."""
    command = [sys.executable, str(CALLER), url, caller.digest, "2", "10"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)
