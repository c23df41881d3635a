"""Sessions that the server of PostgreSQL ends, between calls and under load: no settlement is lost or doubled."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pytest
from sqlalchemy import NullPool, create_engine, select, text

from modelmint.commerce.types import Admitted, Outcome, Settlement
from modelmint.kit.clock import ManualClock
from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.errors import BooksUnavailable
from modelmint.store.open import open_books
from modelmint.store.schema import subscriptions
from modelmint.testing.books import START, Caller, a_caller, some_plans

if TYPE_CHECKING:
    from conftest import Postgres

T = TypeVar("T")


def on_plan(books: SqlBooks, max_calls: int) -> Caller:
    """Somebody who called a moment ago."""
    books.put_plans([*books.plans(), *some_plans({"busy": {"per_call": "0.01 USD", "max_calls": max_calls}})])
    caller = a_caller(books, "busy")
    caller.call(times=3)
    return caller


def counted(books: SqlBooks, caller: Caller) -> int:
    mine = subscriptions.c.customer == caller.customer.id
    with books._database.read() as connection:
        return connection.scalar(select(subscriptions.c.lifetime_calls).where(mine)) or 0


def end(caller: Caller, admitted: Admitted, *, here: bool) -> Outcome:
    return caller.books.settle(Settlement(admitted.reservation, 200, "ok"), here=here).result(60)


def until_answered(attempt: Callable[[], T]) -> T:
    """What a caller does who is told that the books are not to be had."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return attempt()
        except BooksUnavailable:
            assert time.monotonic() < deadline, "the books do not recover"


def end_sessions(url: str) -> int:
    """End whatever is connected to the database; how many sessions there were."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    ended = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with engine.connect() as connection:
        return int(connection.scalar(text(ended)) or 0)


@pytest.mark.usefixtures("calm")
def test_a_session_that_the_server_ends_between_calls_is_opened_again_and_no_call_is_lost(
    postgres: Postgres, expressed: list[int]
) -> None:
    url, clock = postgres.new_database(), ManualClock(START)
    books = open_books(url, clock)
    caller = on_plan(books, 100_000)
    first = caller.reserve()
    assert end_sessions(url) > 0
    expressed.clear()
    assert end(caller, first, here=True).billable  # nobody need hear of it
    for n in range(8):
        admitted = [caller.reserve(), caller.reserve(2)]
        assert end_sessions(url) > 0
        ended = [until_answered(partial(end, caller, one, here=n % 2 == 0)) for one in admitted]
        assert [row.calls for row in ended] == [1, 2]
        assert [end(caller, one, here=True) for one in admitted] == ended
    assert books.usage(caller.customer.id, month_of(START)).calls == 3 + 1 + 8 * 3
    books.close()
    again = open_books(url, clock)
    assert counted(again, caller) == sum(row.calls for row in again.outcomes()) == 28
    again.close()


@pytest.mark.usefixtures("lasting")
def test_sessions_ended_in_the_middle_of_a_load_lose_no_acknowledged_settlement_and_double_none(
    postgres: Postgres, expressed: list[int]
) -> None:
    url = postgres.new_database()
    books = open_books(url)
    caller = on_plan(books, 100_000)
    told: queue.SimpleQueue[str] = queue.SimpleQueue()
    over = threading.Event()

    def calls(number: int) -> None:
        while not over.is_set():
            admitted = until_answered(caller.reserve)
            told.put(until_answered(partial(end, caller, admitted, here=number % 2 == 0)).id)

    acknowledged: list[str] = []
    ended = 0
    with ThreadPoolExecutor(8) as pool:
        callers = [pool.submit(calls, number) for number in range(8)]
        try:
            for _ in range(12):
                while not told.empty():
                    acknowledged.append(told.get())
                acknowledged.extend(told.get(timeout=60) for _ in range(30))
                ended += end_sessions(url)
        finally:
            over.set()
    for one in callers:
        one.result()
    assert ended > 0 and expressed
    while not told.empty():
        acknowledged.append(told.get())
    rows = [row.id for row in books.outcomes() if row.billable]
    assert len(acknowledged) == len(set(acknowledged)) >= 12 * 30
    assert len(rows) == len(set(rows)) and set(rows[3:]) == set(acknowledged)
    assert caller.call()[0].billable
    books.close()
    again = open_books(url)
    again.release_stale()
    assert counted(again, caller) == len(rows) + 1 == again.usage(caller.customer.id, month_of(again.now())).calls
    assert again.journal.verify(raw=True).findings == ()
    again.close()
