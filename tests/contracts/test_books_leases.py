"""Quota lent to processes: faster, and nothing that admission promises is weaker for it; on both databases."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from modelmint.commerce.errors import (
    CreditSpent,
    PaymentRequired,
    QuotaSpent,
    SubscriptionPaused,
    TrialSpent,
    Unauthenticated,
    UnknownReservation,
)
from modelmint.commerce.people.errors import KeyLacksScope
from modelmint.kit.clock import ManualClock
from modelmint.kit.money import Money
from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.errors import BooksUnavailable
from modelmint.store.leases import BOUND
from modelmint.store.open import open_books
from modelmint.store.schema import leases, subscriptions
from modelmint.testing.books import START, Caller, a_caller, some_plans
from modelmint.testing.waiting import eventually


@pytest.fixture(autouse=True)
def lent_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second between two calls is not too long to lend, nor to keep what is lent: disks may be slow."""
    monkeypatch.setattr("modelmint.store.leases.IDLE", 0.5)


@pytest.fixture
def others(url: str, clock: ManualClock, books: SqlBooks) -> Iterator[SqlBooks]:
    """The same books, opened by somebody else."""
    opened = open_books(url, clock)
    yield opened
    opened.close()


def lent(books: SqlBooks) -> int:
    """Calls granted in leases, by whomever."""
    with books._database.read() as connection:
        return int(connection.scalar(select(func.coalesce(func.sum(leases.c.granted), 0))) or 0)


def counted(books: SqlBooks) -> int:
    """Calls that the newest subscription has counted."""
    with books._database.read() as connection:
        return int(connection.scalar(select(subscriptions.c.lifetime_calls).order_by(subscriptions.c.seq.desc())) or 0)


def a_frequent_caller(books: SqlBooks, terms: dict[str, object]) -> Caller:
    """Somebody who called a moment ago, so that quota is lent."""
    books.put_plans(some_plans({"busy": {"per_call": "0.01 USD", **terms}}))
    caller = a_caller(books, "busy")
    caller.call(times=3)
    deadline = time.monotonic() + 60
    while not lent(books):
        assert time.monotonic() < deadline, "nothing is lent"
        caller.call(times=2)
    return caller


def all_comes_back(books: SqlBooks) -> None:
    """Wait until nothing is lent any more."""
    eventually(lambda: not lent(books))


def test_calls_on_a_lease_leave_the_same_rows_and_what_was_not_used_comes_back(books: SqlBooks) -> None:
    caller = a_frequent_caller(books, {"max_calls": 100_000})
    before = len(list(books.outcomes()))
    outcomes = [caller.settle(caller.reserve(2), calls=1 + n % 2) for n in range(20)]
    outcomes += [caller.settle(caller.reserve(), 503, "overloaded") for _ in range(5)]
    rows = list(books.outcomes())[before:]
    assert rows == outcomes
    used = sum(row.calls for row in books.outcomes() if row.billable)
    all_comes_back(books)
    assert counted(books) == used
    assert caller.reserve().remaining == 100_000 - used - 1


def test_a_settlement_on_a_lease_twice_is_one_outcome(books: SqlBooks) -> None:
    caller = a_frequent_caller(books, {})
    admitted = caller.reserve()
    assert caller.settle(admitted) == caller.settle(admitted)
    with pytest.raises(UnknownReservation):
        caller.settle(replace(admitted, reservation="call_never"))


def test_a_call_outlives_the_lease_that_it_began_on(books: SqlBooks) -> None:
    caller = a_frequent_caller(books, {"max_calls": 100_000})
    admitted = [caller.reserve() for _ in range(3)]
    all_comes_back(books)
    assert [caller.settle(one).billable for one in admitted] == [True] * 3
    assert counted(books) == sum(row.calls for row in books.outcomes())


def test_a_call_on_a_lease_that_stays_open_too_long_is_released_and_its_answer_refused(
    books: SqlBooks, clock: ManualClock
) -> None:
    caller = a_frequent_caller(books, {"max_calls": 100_000})
    admitted = caller.reserve()
    clock.advance(timedelta(minutes=10))
    assert books.release_stale() >= 1
    with pytest.raises(UnknownReservation, match="released"):
        caller.settle(admitted)
    assert counted(books) == sum(row.calls for row in books.outcomes() if row.billable)


def test_a_settlement_on_a_lease_that_others_released_as_forgotten_is_refused_and_calls_go_on(
    url: str, books: SqlBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = a_frequent_caller(books, {"max_calls": 100_000})
    later = open_books(url, ManualClock(START + timedelta(minutes=11)))
    with monkeypatch.context() as patched:
        patched.setattr("modelmint.store.leases.IDLE", 600)  # it is not given back by itself
        while not lent(books):
            caller.call(times=2)
        admitted = caller.reserve()
        later.release_stale()
        assert lent(books) == 0
        with pytest.raises(UnknownReservation):
            caller.settle(admitted)
        caller.call(times=5)
    later.close()
    assert books.journal.verify(raw=True).findings == ()
    billed = sum(row.calls for row in books.outcomes())
    all_comes_back(books)
    assert counted(books) == billed


def test_closing_the_books_keeps_calls_under_way(url: str, clock: ManualClock) -> None:
    first = open_books(url, clock)
    caller = a_frequent_caller(first, {"max_calls": 100_000})
    admitted = caller.reserve()
    first.close()
    again = open_books(url, clock)
    assert lent(again) == 0
    assert replace(caller, books=again).settle(admitted).billable
    assert counted(again) == sum(row.calls for row in again.outcomes())
    again.close()


def test_a_key_revoked_elsewhere_is_refused_by_the_next_call_although_quota_is_lent(
    books: SqlBooks, others: SqlBooks
) -> None:
    caller = a_frequent_caller(books, {})
    others.revoke_key(caller.key.id)
    with pytest.raises(Unauthenticated, match="revoked"):
        caller.reserve()


def test_a_plan_given_up_elsewhere_admits_no_further_call(books: SqlBooks, others: SqlBooks) -> None:
    caller = a_frequent_caller(books, {})
    others.contracts.pause(caller.customer.id)
    with pytest.raises(SubscriptionPaused):
        caller.reserve()
    others.contracts.resume(caller.customer.id)
    assert caller.call()[0].billable
    others.contracts.cancel(caller.customer.id)
    with pytest.raises(PaymentRequired):
        caller.reserve()


def test_a_key_does_not_outlive_its_expiry_on_a_lease(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_frequent_caller(books, {})
    books.people.rotate(caller.key.id, timedelta(hours=1))
    caller.call(times=5)
    clock.advance(timedelta(hours=1, microseconds=-1))
    caller.call(times=5)
    clock.advance(timedelta(microseconds=1))
    with pytest.raises(Unauthenticated, match="expired"):
        caller.reserve()


def test_a_key_without_the_scope_is_refused_and_leaves_its_row(books: SqlBooks) -> None:
    caller = a_caller(books)
    key, secret = books.add_key(caller.customer.id, "reader", scopes=("usage",))
    with pytest.raises(KeyLacksScope):
        replace(caller, key=key, secret=secret).reserve()
    (row,) = books.outcomes()
    assert (row.status, row.code, row.billable) == (403, "key_lacks_scope", False)


def test_a_lease_ends_with_the_billing_period(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_frequent_caller(books, {"max_calls": 2000})
    clock.at = datetime(2026, 12, 1, tzinfo=UTC)
    assert caller.reserve().remaining == 1999
    clock.at = datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    caller.call(times=10)
    old = caller.reserve()
    clock.at = datetime(2027, 1, 1, tzinfo=UTC)
    assert caller.reserve().remaining == 1999
    caller.settle(old, 500, "engine_failed")
    assert caller.reserve().remaining == 1998


def test_a_lease_ends_with_the_days_of_a_trial(books: SqlBooks, clock: ManualClock) -> None:
    books.put_plans(some_plans({"try": {"free_calls": 10_000, "days": 14}}))
    caller = a_caller(books, "try")
    clock.advance(timedelta(days=14, microseconds=-1))
    caller.call(times=20)
    clock.advance(timedelta(microseconds=1))
    with pytest.raises(TrialSpent, match="14 days"):
        caller.reserve()


def test_nobody_is_refused_while_others_hold_what_they_do_not_use(books: SqlBooks, others: SqlBooks) -> None:
    caller = a_frequent_caller(books, {"max_calls": 600})
    elsewhere = replace(caller, books=others)
    served = sum(row.calls for row in books.outcomes())
    here = True
    while True:
        try:
            (caller if here else elsewhere).call(times=1)
        except QuotaSpent:
            break
        served += 1
        here = not here if served % 7 == 0 else here
    assert served == 600
    for one in (caller, elsewhere):
        with pytest.raises(QuotaSpent):
            one.reserve()


def test_a_change_to_another_version_of_the_plan_under_load_keeps_the_limit_exactly(
    books: SqlBooks, others: SqlBooks
) -> None:
    caller = a_frequent_caller(books, {"max_calls": 1200})
    elsewhere = replace(caller, books=others)
    open_calls = [caller.reserve() for _ in range(4)]
    elsewhere.call(times=5)
    books.put_plans(some_plans({"busy": {"per_call": "0.02 USD", "max_calls": 1200}}))
    others.contracts.change(caller.customer.id, "busy")
    for call in open_calls[:2]:
        caller.settle(call, 503, "overloaded")
    for call in open_calls[2:]:
        caller.settle(call)
    others.contracts.pause(caller.customer.id)
    others.contracts.resume(caller.customer.id)
    with pytest.raises(QuotaSpent):
        while True:
            caller.call()
            elsewhere.call()
    for one in (caller, elsewhere):
        with pytest.raises(QuotaSpent):
            one.reserve()
    assert sum(row.calls for row in books.outcomes() if row.billable) == 1200


def test_a_change_planned_ahead_takes_the_quota_over_exactly(
    books: SqlBooks, others: SqlBooks, clock: ManualClock
) -> None:
    caller = a_frequent_caller(books, {"max_calls": 1200})
    books.put_plans(some_plans({"busy": {"per_call": "0.02 USD", "max_calls": 1200}}))
    others.contracts.change(caller.customer.id, "busy", START + timedelta(hours=1))
    caller.call(times=10)
    open_calls = [caller.reserve() for _ in range(4)]
    clock.advance(timedelta(hours=1))
    elsewhere = replace(caller, books=others)
    elsewhere.call(times=3)
    for call in open_calls:
        caller.settle(call, 503, "overloaded")
    with pytest.raises(QuotaSpent):
        while True:
            caller.call()
            elsewhere.call()
    assert sum(row.calls for row in books.outcomes() if row.billable) == 1200


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every commit syncs by itself")
def test_a_sync_that_fails_is_said_to_be_open_and_settling_again_ends_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = open_books(f"sqlite:///{tmp_path}/books.sqlite")
    caller = a_caller(books)
    caller.call(times=3)
    admitted = caller.reserve()
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", failing)
        with pytest.raises(BooksUnavailable, match="may have been stored"):
            caller.settle(admitted)
    assert caller.settle(admitted).billable
    caller.call(times=3)
    assert len([row for row in books.outcomes() if row.billable]) == 7
    books.close()


def failing(handle: int) -> None:
    raise OSError(5, "Input/output error")


def test_prepaid_credit_admits_what_it_covers_and_not_one_call_more(books: SqlBooks, others: SqlBooks) -> None:
    books.put_plans(some_plans({"credit": {"per_call": "0.01 USD", "prepaid": True}}))
    caller = a_caller(books, "credit")
    with pytest.raises(CreditSpent):
        caller.reserve()
    books.credits.grant(caller.customer.id, Money(500, "USD"))
    elsewhere, served = replace(caller, books=others), 0
    while True:
        try:
            (caller if served % 5 else elsewhere).call()
        except CreditSpent:
            break
        served += 1
    assert served == 500
    assert books.usage(caller.customer.id, month_of(START)).calls == 500


HOLDER = """
import sys, time
from modelmint.commerce.types import AdmissionRequest, Settlement
from modelmint.kit.errors import ModelmintError
from modelmint.store import leases
from modelmint.store.open import open_books

leases.IDLE = 600  # whatever it borrowed it keeps
books = open_books(sys.argv[1])
while True:
    for _ in range(10):
        try:
            admitted = books.reserve(AdmissionRequest(sys.argv[2], "reader", 1, 1)).decided.result()
            print("settled", books.settle(Settlement(admitted.reservation, 200, "ok")).result().id)
        except ModelmintError as error:
            print("refused", error.code)
    print("resting", flush=True)
    sys.stdin.readline()
"""


def test_a_stopped_process_that_holds_quota_lets_nobody_exceed_the_limit_or_wait_for_ever(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelmint.store.reserve.BOUND", BOUND)  # as it is outside these tests
    books = open_books(url)
    books.put_plans(some_plans({"busy": {"per_call": "0.01 USD", "max_calls": 1500}}))
    caller = a_caller(books, "busy")
    command = [sys.executable, "-c", HOLDER, url, caller.digest]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    said = heard_until_resting(holder)
    assert lent(books) > 0
    os.kill(holder.pid, signal.SIGSTOP)
    with pytest.raises(QuotaSpent):
        while True:
            caller.call()
    assert lent(books) > 0
    assert counted(books) == 1500
    books.revoke_key(caller.key.id)  # a change does not wait for it either
    os.kill(holder.pid, signal.SIGCONT)
    assert holder.stdin is not None
    holder.stdin.write("\n")
    assert heard_until_resting(holder) == ["refused unauthenticated"] * 10
    holder.kill()
    holder.communicate(timeout=30)
    books.release_stale()
    billed = [row for row in books.outcomes() if row.billable]
    assert sum(row.calls for row in billed) == counted(books) < 1500
    assert {line.split()[1] for line in said} <= {row.id for row in billed}
    books.close()


def heard_until_resting(holder: subprocess.Popen[str]) -> list[str]:
    assert holder.stdout is not None
    return [line.strip() for line in iter(holder.stdout.readline, "resting\n")]
