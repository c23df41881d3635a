"""Several processes at once, and their deaths, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from modelmint.commerce.errors import UnknownReservation
from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.errors import BooksUnavailable
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller, some_plans

if TYPE_CHECKING:
    from conftest import OwnPostgres

#: Kills in each crash test; ``make bench-crash`` asks for more.
ROUNDS = int(os.environ.get("MODELMINT_CRASH_ROUNDS", "10"))
CALLER = Path(__file__).with_name("caller_process.py")


def start(url: str, caller: Caller, threads: int, calls: int | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(CALLER), url, caller.digest, str(threads)]
    return subprocess.Popen(
        command if calls is None else [*command, str(calls)], stdout=subprocess.PIPE, start_new_session=True
    )


def said(process: subprocess.Popen[bytes]) -> list[list[str]]:
    """Complete lines only: a kill may cut the last one."""
    assert process.stdout is not None
    text = process.stdout.read().decode()
    return [line.split() for line in text[: text.rfind("\n") + 1].splitlines()]


def test_64_clients_over_four_processes_are_served_exactly_the_thousand_calls_of_their_plan(url: str) -> None:
    books = open_books(url)
    books.put_plans(some_plans({"trial": {"free_calls": 1000}, "payg": {"per_call": "0.02 USD"}}))
    caller = a_caller_on(books, "trial")
    processes = [start(url, caller, threads=16, calls=20) for _ in range(4)]
    heard = Counter(" ".join(line[:1] if line[0] == "settled" else line) for one in processes for line in said(one))
    assert [process.wait(60) for process in processes] == [0] * 4
    assert heard == {"ready": 4, "settled": 1000, "refused trial_spent": 280}
    assert books.counts() == {("reader", 200, "ok"): 1000, ("reader", 402, "trial_spent"): 280}
    assert books.usage(caller.customer.id, month_of(books.now())).calls == 1000
    books.close()


def test_32_clients_of_four_processes_killed_again_and_again_lose_no_call_pay_none_twice_and_exceed_nothing(
    url: str,
) -> None:
    books = open_books(url)
    limit = 400 * ROUNDS
    books.put_plans(some_plans({"big": {"per_call": "0.02 USD", "max_calls": limit}}))
    caller = a_caller_on(books, "big")
    chance = random.Random(7)
    acknowledged: list[str] = []
    for _ in range(ROUNDS):
        processes = [start(url, caller, threads=8) for _ in range(4)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            word, *rest = process.stdout.readline().decode().split()
            acknowledged += rest if word == "settled" else []
        time.sleep(chance.uniform(0.02, 0.3))
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
        for process in processes:
            acknowledged += [line[1] for line in said(process) if line[0] == "settled"]
            process.wait(30)
            assert process.stdout is not None
            process.stdout.close()
    books.release_stale()
    rows = list(books.outcomes())
    billed = [row.id for row in rows if row.billable]
    assert len(acknowledged) > 2 * ROUNDS
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= set(billed)
    assert len(billed) == len(set(billed))
    # A call whose process died after its commit and before its answer is in the books too; nothing else is.
    assert len(billed) - len(acknowledged) <= ROUNDS * 4 * 8
    assert {(row.status, row.code) for row in rows} <= {(200, "ok"), (499, "released"), (402, "quota_spent")}
    assert books.release_stale() == 0
    # The quota counts what was billed and nothing else: what is left of it is served, and not one call more.
    left = limit - len(billed)
    assert caller.reserve().remaining == left - 1 if left else len(billed) == limit
    books.close()


def test_calls_fail_while_postgresql_is_down_and_go_on_afterwards(fragile_postgres: OwnPostgres) -> None:
    books = open_books(fragile_postgres.new_database())
    caller = a_caller(books)
    before = [caller.reserve() for _ in range(6)]  # some of them on a lease
    caller.call()
    fragile_postgres.stop("immediate")
    try:
        for attempt in (caller.reserve, lambda: caller.settle(before[-1]), books.customers):
            with pytest.raises(BooksUnavailable) as failure:
                attempt()
            assert failure.value.retry_after == 1
    finally:
        fragile_postgres.start()
    # What the server had not synced of calls under way went with it: those are refused, not billed.
    billed = 1
    for one in before:
        try:
            billed += caller.settle(one).calls
        except UnknownReservation:
            continue
    caller.call(times=3)
    assert books.usage(caller.customer.id, month_of(books.now())).calls == billed + 3
    books.close()


def a_caller_on(books: SqlBooks, plan: str) -> Caller:
    """A caller on one of the plans put on sale just now."""
    customer = books.add_customer("Clinic", "")
    books.subscribe(customer.id, plan)
    key, secret = books.add_key(customer.id, "default")
    return Caller(books, customer, key, secret)
