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

from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.errors import BooksUnavailable
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller, some_plans

if TYPE_CHECKING:
    from conftest import OwnPostgres

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


def test_processes_together_never_exceed_a_limit_and_serve_all_of_it(url: str) -> None:
    books = open_books(url)
    books.put_plans(some_plans({"trial": {"free_calls": 200}, "payg": {"per_call": "0.02 USD"}}))
    caller = a_caller_on(books, "trial")
    processes = [start(url, caller, threads=8, calls=10) for _ in range(4)]
    heard = Counter(" ".join(line[:1] if line[0] == "settled" else line) for one in processes for line in said(one))
    assert [process.wait(60) for process in processes] == [0] * 4
    assert heard == {"ready": 4, "settled": 200, "refused trial_spent": 120}
    assert books.counts() == {("reader", 200, "ok"): 200, ("reader", 402, "trial_spent"): 120}
    assert books.usage(caller.customer.id, month_of(books.now())).calls == 200
    books.close()


def test_processes_killed_ten_times_lose_no_acknowledged_call_and_bill_none_twice(url: str) -> None:
    books = open_books(url)
    books.put_plans(some_plans({"big": {"per_call": "0.02 USD", "max_calls": 1_000_000}}))
    caller = a_caller_on(books, "big")
    chance = random.Random(7)
    acknowledged: list[str] = []
    for _ in range(10):
        processes = [start(url, caller, threads=4) for _ in range(2)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
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
    assert len(acknowledged) > 20
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= set(billed)
    assert len(billed) == len(set(billed))
    # A call whose process died after its commit and before its answer is in the books too; nothing else is.
    assert len(billed) - len(acknowledged) <= 10 * 2 * 4
    assert {(row.status, row.code) for row in rows} <= {(200, "ok"), (499, "released")}
    assert books.release_stale() == 0
    # The quota counts what was billed and nothing that was released.
    assert caller.reserve().remaining == 1_000_000 - len(billed) - 1
    books.close()


def test_calls_fail_while_postgresql_is_down_and_go_on_afterwards(fragile_postgres: OwnPostgres) -> None:
    books = open_books(fragile_postgres.new_database())
    caller = a_caller(books)
    before = caller.reserve()
    caller.call()
    fragile_postgres.stop("immediate")
    try:
        for attempt in (caller.reserve, lambda: caller.settle(before), books.customers):
            with pytest.raises(BooksUnavailable) as failure:
                attempt()
            assert failure.value.retry_after == 1
    finally:
        fragile_postgres.start()
    assert caller.settle(before).billable
    caller.call()
    assert books.usage(caller.customer.id, month_of(books.now())).calls == 3
    books.close()


def a_caller_on(books: SqlBooks, plan: str) -> Caller:
    """A caller on one of the plans put on sale just now."""
    customer = books.add_customer("Clinic", "")
    books.subscribe(customer.id, plan)
    key, secret = books.add_key(customer.id, "default")
    return Caller(books, customer, key, secret)
