"""Settling here while something goes wrong or everybody comes at once: each call ends once; on both databases."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from modelmint.commerce.errors import QuotaSpent, Unauthenticated
from modelmint.commerce.types import Admitted, Outcome, Settlement
from modelmint.kit.clock import ManualClock
from modelmint.kit.errors import ModelmintError
from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.errors import BooksUnavailable
from modelmint.store.hot_sql import HotConnection
from modelmint.store.open import open_books
from modelmint.store.schema import leases, subscriptions
from modelmint.testing.books import START, Caller, a_caller, some_plans

NOVEMBER = month_of(START)

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every commit syncs by itself")


def on_plan(books: SqlBooks, name: str = "Clinic North", **terms: Any) -> Caller:
    """Somebody who called a moment ago."""
    books.put_plans([*books.plans(), *some_plans({"busy": {"per_call": "0.01 USD", **terms}})])
    caller = a_caller(books, "busy", name)
    caller.call(times=3)
    return caller


def lent(books: SqlBooks, caller: Caller) -> int:
    with books._database.read() as connection:
        held = select(leases.c.granted).where(leases.c.customer == caller.customer.id)
        return sum(connection.scalars(held))


def counted(books: SqlBooks, caller: Caller) -> int:
    mine = subscriptions.c.customer == caller.customer.id
    with books._database.read() as connection:
        return connection.scalar(select(subscriptions.c.lifetime_calls).where(mine)) or 0


def here(caller: Caller, admitted: Admitted, status: int = 200, code: str = "ok") -> Outcome:
    return caller.books.settle(Settlement(admitted.reservation, status, code), here=True).result(60)


def together(*work: Callable[[], None]) -> None:
    """All on threads of their own, begun at once; whatever one raises is raised here."""
    ready, failed = threading.Barrier(len(work)), list[BaseException]()

    def run(one: Callable[[], None]) -> None:
        try:
            ready.wait(60)
            one()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if failed:
        raise failed[0]
    assert not any(thread.is_alive() for thread in threads)


def test_calls_under_way_when_their_key_is_revoked_end_once_and_the_next_is_refused(
    url: str, books: SqlBooks, clock: ManualClock
) -> None:
    caller = on_plan(books)
    admitted = [caller.reserve() for _ in range(6)]
    with closing(open_books(url, clock)) as others:
        others.revoke_key(caller.key.id)
    with pytest.raises(Unauthenticated, match="revoked"):
        caller.reserve()
    first = [here(caller, one) for one in admitted]
    again = [caller.settle(one, 500, "too_late") if n % 2 else here(caller, one) for n, one in enumerate(admitted)]
    assert again == first and all(row.billable for row in first)
    assert [row for row in books.outcomes() if row.billable][3:] == first
    assert books.usage(caller.customer.id, NOVEMBER).calls == counted(books, caller) == 9


@pytest.mark.usefixtures("calm")
def test_the_same_settlement_twice_at_the_same_time_is_one_outcome(books: SqlBooks, expressed: list[int]) -> None:
    caller = on_plan(books)
    for n in range(40):
        admitted, heard = caller.reserve(2), list[Outcome]()
        wanted = Settlement(admitted.reservation, 200, "ok", calls=1 + n % 2)

        def end(*, here: bool, wanted: Settlement = wanted, heard: list[Outcome] = heard) -> None:
            heard.append(books.settle(wanted, here=here).result(60))

        together(partial(end, here=True), partial(end, here=False), partial(end, here=True))
        assert heard[0] == heard[1] == heard[2]
        assert [row for row in books.outcomes() if row.id == admitted.reservation] == heard[:1]
    assert expressed  # some at least went the short way
    assert books.usage(caller.customer.id, NOVEMBER).calls == 3 + 60


@pytest.mark.usefixtures("lasting")
def test_64_threads_that_settle_here_are_served_exactly_the_thousand_calls_of_their_plan(
    url: str, books: SqlBooks, clock: ManualClock, expressed: list[int]
) -> None:
    caller = on_plan(books, max_calls=1000)
    served: list[str] = []

    def calls() -> None:
        while True:
            try:
                admitted = caller.reserve()
            except QuotaSpent:
                return
            served.append(here(caller, admitted).id)

    together(*[calls] * 64)
    rows = list(books.outcomes())
    billed = [row.id for row in rows if row.billable]
    assert len(served) == len(set(served)) == 997
    assert set(served) == set(billed[3:]) and len(billed) == 1000
    assert sum(row.code == "quota_spent" for row in rows) == 64
    assert books.usage(caller.customer.id, NOVEMBER).calls == counted(books, caller) == 1000
    assert books.counts()["reader", 200, "ok"] == 1000
    assert sum(expressed) > 0
    assert books.journal.verify(raw=True).findings == ()


def test_a_limit_that_leases_approach_is_served_to_the_last_call_whatever_failed_before(
    url: str, books: SqlBooks, clock: ManualClock
) -> None:
    books.put_plans(some_plans({"try": {"free_calls": 700, "days": 14}}))
    caller = a_caller(books, "try")
    caller.call(times=3)
    with closing(open_books(url, clock)) as others:
        elsewhere, tries = replace(caller, books=others), 0
        with pytest.raises(ModelmintError) as refused:
            while True:
                one = elsewhere if tries % 5 == 4 else caller
                here(one, one.reserve(), *((500, "engine_failed") if tries % 4 == 3 else ()))
                tries += 1
        assert refused.value.code == "trial_spent"
        for one in (caller, elsewhere):
            with pytest.raises(ModelmintError, match="700"):
                one.reserve()
    # every call that did not fail was served, and the last unit was not lost to one that did
    assert (tries - tries // 4, books.usage(caller.customer.id, NOVEMBER).calls) == (697, 700)
    assert counted(books, caller) == 700


def test_settling_here_after_the_end_is_refused_and_nothing_is_stored(url: str, clock: ManualClock) -> None:
    books = open_books(url, clock)
    caller = on_plan(books)
    admitted = caller.reserve()
    books.close()
    for _ in range(2):
        with pytest.raises(BooksUnavailable, match="closed; nothing was stored"):
            here(caller, admitted)
    again = open_books(url, clock)
    assert [row.id for row in again.outcomes() if row.id == admitted.reservation] == []
    assert counted(again, caller) == 3 + 1
    assert here(replace(caller, books=again), admitted).billable
    assert again.usage(caller.customer.id, NOVEMBER).calls == 4
    again.close()


def failing(*arguments: object) -> None:
    raise OSError(5, "Input/output error")


@on_linux
@pytest.mark.usefixtures("calm")
def test_a_sync_that_fails_here_is_said_to_be_open_and_nobody_is_served_before_the_disk_is_known_good(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, expressed: list[int]
) -> None:
    books = open_books(f"sqlite:///{tmp_path}/books.sqlite", clock)
    caller, other = on_plan(books), on_plan(books, "Clinic South")
    admitted, untouched, before = caller.reserve(), other.reserve(), len(list(books.outcomes()))
    expressed.clear()
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", failing)
        broken.setattr(HotConnection, "make_durable", failing)
        with pytest.raises(BooksUnavailable, match="may have been stored; settle again"):
            here(caller, admitted)
        assert expressed == [1]  # it was committed on this thread
        for attempt in (caller.reserve, lambda: here(caller, admitted), lambda: here(other, untouched)):
            with pytest.raises(BooksUnavailable):
                attempt()
    first = here(caller, admitted)
    assert first.billable and here(other, untouched).billable
    assert here(caller, admitted) == caller.settle(admitted, 500, "late") == first
    assert len(list(books.outcomes())) == before + 2
    assert here(caller, caller.reserve()).billable
    books.close()
    again = open_books(f"sqlite:///{tmp_path}/books.sqlite", clock)
    assert (counted(again, caller), counted(again, other)) == (5, 4)
    assert sum(row.calls for row in again.outcomes()) == 9
    again.close()


@pytest.mark.usefixtures("calm")
def test_a_write_that_fails_here_is_tried_again_the_whole_way_and_ends_once(
    books: SqlBooks, expressed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = on_plan(books)
    admitted = [caller.reserve() for _ in range(3)]
    expressed.clear()
    with monkeypatch.context() as broken:
        for place in ("express_sqlite.write", "express_pg.write"):
            broken.setattr(f"modelmint.store.express_sql.{place}", failing)
        assert here(caller, admitted[0]).billable
    assert expressed == []
    assert [here(caller, one).billable for one in admitted] == [True] * 3
    assert caller.call()[0].billable
    assert books.usage(caller.customer.id, NOVEMBER).calls == 3 + 3 + 1
    assert sum(row.calls for row in books.outcomes()) == counted(books, caller) - lent(books, caller) == 7
