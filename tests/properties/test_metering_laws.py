"""Laws of admission and metering: on the pure decision, and on real books."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelmint.commerce.admission import MINUTE, Account, Counters, decide, give_back
from modelmint.commerce.errors import PaymentRequired, QuotaSpent, RateLimited
from modelmint.commerce.leasing import LARGEST, PART, lease_size
from modelmint.commerce.types import AdmissionRequest, Admitted, Outcome
from modelmint.kit.clock import ManualClock
from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import a_caller, some_plans

NOW = 1_794_000_000_000_000
FRESH = Counters(lifetime_calls=0, since=NOW, month=0, month_calls=0, next_call=0)


def account(**terms: object) -> Account:
    (plan,) = some_plans({"p": {"per_call": "0.02 USD", **terms}})
    return Account("cus", "key", False, "sub", plan)


@given(st.integers(1, 600), st.lists(st.tuples(st.integers(0, 20_000_000), st.integers(1, 5)), max_size=60))
def test_no_stretch_of_time_holds_more_calls_than_the_bucket_and_its_refill(
    limit: int, arrivals: list[tuple[int, int]]
) -> None:
    caller, counters, now = account(calls_per_minute=limit), FRESH, NOW
    admitted: list[tuple[int, int]] = []
    for gap, calls in arrivals:
        now += gap
        if calls > limit:
            continue
        try:
            counters = decide(caller, counters, AdmissionRequest("d", "m", calls, 1), now, 0).counters
        except RateLimited as refusal:
            wait = int(refusal.retry_after or 0) * 1_000_000
            assert wait > 0
            decide(caller, counters, AdmissionRequest("d", "m", calls, 1), now + wait, 0)  # it fits when it says so
        else:
            admitted.append((now, calls))
    for first in range(len(admitted)):
        for last in range(first, len(admitted)):
            span = admitted[last][0] - admitted[first][0]
            assert sum(calls for _, calls in admitted[first : last + 1]) <= limit + span * limit // MINUTE


@given(st.integers(1, 50), st.lists(st.tuples(st.integers(1, 8), st.booleans()), max_size=60))
def test_a_quota_is_never_exceeded_and_what_failed_is_given_back(limit: int, calls: list[tuple[int, bool]]) -> None:
    caller, counters, served = account(max_calls=limit), FRESH, 0
    for wanted, works in calls:
        try:
            grant = decide(caller, counters, AdmissionRequest("d", "m", wanted, 1), NOW, 0)
        except PaymentRequired:
            assert served + wanted > limit
            continue
        assert grant.remaining == limit - served - wanted >= 0
        counters = grant.counters if works else give_back(grant.counters, wanted, grant.counters.month)
        served += wanted if works else 0
    assert counters.month_calls == counters.lifetime_calls == served <= limit


steps = st.lists(
    st.tuples(st.sampled_from(["ok", "fail", "open", "retry"]), st.integers(1, 3), st.integers(-7200, 86_400 * 4)),
    max_size=12,
)


@settings(max_examples=20, deadline=None)
@given(steps, st.sets(st.integers(0, 11)))
@example([("ok", 1, 0)], set())
@example([("ok", 1, -1)], set())  # a clock behind the moment in which the plan was taken
@example([("retry", 2, -658)], set())
@example([("ok", 2, -5853), ("ok", 1, 0)], set())
def test_books_bill_what_was_served_once_whatever_is_replayed_and_however_time_is_cut(
    script: list[tuple[str, int, int]], cuts: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(datetime(2026, 11, 1, tzinfo=UTC))
        books = open_books(f"sqlite:///{folder}/b.sqlite", clock)
        books.put_plans(some_plans({"p": {"per_call": "0.01 USD", "max_calls": 40}}))
        caller = a_caller(books, "p")
        settled: list[tuple[Admitted, Outcome]] = []
        served = 0
        for position, (kind, calls, seconds) in enumerate(script):
            clock.advance(timedelta(seconds=seconds))
            try:
                admitted = caller.reserve(calls, idempotency_key=f"k{position}", body_digest="b")
            except QuotaSpent:
                continue
            if kind in {"ok", "retry"}:
                settled.append((admitted, caller.settle(admitted, answer=b"a")))
                served += calls
            elif kind == "fail":
                caller.settle(admitted, 500, "engine_failed")
            if kind == "retry":
                assert caller.reserve(calls, idempotency_key=f"k{position}", body_digest="b").replay == b"a"
            for former, outcome in settled[-1:]:
                assert caller.settle(former) == outcome
            if position in cuts:
                _close_until_now(books, caller.customer.id, clock)
        clock.at = max(clock.at, datetime(2027, 3, 1, tzinfo=UTC)) + timedelta(days=60)
        _close_until_now(books, caller.customer.id, clock)
        invoices = books.invoices()
        assert sum(line.quantity for one in invoices for line in one.lines) == served
        assert sum(one.total.minor for one in invoices) == served
        assert [one.number for one in invoices] == list(range(1, len(invoices) + 1))
        assert sum(entry.amount.minor for entry in books.ledger()) == 0
        if all(seconds >= 0 for _, _, seconds in script):  # a cut at a moment that was before leaves later rows in it
            assert books.journal.verify(raw=True).findings == ()
        assert sum(row.calls for row in books.outcomes() if row.billable) == served
        books.close()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 86_400 * 4)), min_size=1, max_size=12))
def test_requests_are_counted_alike_however_time_is_cut_and_whatever_each_used(
    script: list[tuple[bool, int, int]],
) -> None:
    """Cut after the call, explanations of the call, seconds to the next."""
    charge = {"meter": "explanations", "aggregate": "count", "price": "0.01 USD"}
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(datetime(2026, 11, 1, tzinfo=UTC))
        books = open_books(f"sqlite:///{folder}/b.sqlite", clock)
        books.put_plans(some_plans({"p": {"charges": [charge]}}))
        caller = a_caller(books, "p")
        for cut, explanations, seconds in script:
            caller.settle(caller.reserve(), release=f"r{explanations}", explanations=explanations)
            if cut:
                _close_until_now(books, caller.customer.id, clock)
            clock.advance(timedelta(seconds=seconds))
        clock.advance(timedelta(days=60))
        _close_until_now(books, caller.customer.id, clock)
        lines = [line for invoice in books.invoices() for line in invoice.lines]
        assert sum(line.quantity for line in lines) == len(script)
        assert all(line.quantity for line in lines)
        books.close()


def _close_until_now(books: SqlBooks, customer: str, clock: ManualClock) -> None:
    """Close everything so far, month by month."""
    start = datetime(2026, 10, 1, tzinfo=UTC)
    while start <= clock.at:
        period = month_of(start)
        books.close_period(customer, period, "", until_now=True)
        start = period.end


@given(st.one_of(st.none(), st.integers(0, 10**9)))
def test_a_lease_is_a_small_part_of_what_is_left(left: int | None) -> None:
    size = lease_size(left)
    assert 0 <= size <= LARGEST
    assert left is None or size * PART <= left


lent_steps = st.lists(
    st.tuples(
        st.sampled_from(["ok", "fail", "open", "less"]), st.integers(1, 3), st.booleans(), st.integers(-60, 3600)
    ),
    min_size=10,
    max_size=30,
)


@settings(max_examples=8, deadline=None)
@given(lent_steps, st.integers(20, 400))
def test_leases_of_two_owners_serve_the_same_calls_as_asking_each_time_and_leave_the_same_sums(
    script: list[tuple[str, int, bool, int]], limit: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr("modelmint.store.reserve.BOUND", 60)  # who is slow to give quota back is waited for
        clock = ManualClock(datetime(2026, 11, 10, tzinfo=UTC))
        books = open_books(f"sqlite:///{folder}/books.sqlite", clock)
        others = open_books(f"sqlite:///{folder}/books.sqlite", clock)
        books.put_plans(some_plans({"p": {"per_call": "0.01 USD", "max_calls": limit}}))
        caller = a_caller(books, "p")
        callers = (caller, replace(caller, books=others))
        taken = billed = 0
        for kind, calls, here, seconds in script * 3:
            clock.advance(timedelta(seconds=seconds))
            who = callers[here]
            try:
                admitted = who.reserve(calls)
            except QuotaSpent:
                assert taken + calls > limit
                continue
            assert taken + calls <= limit
            used = 0 if kind == "fail" else 1 if kind == "less" else calls
            taken += calls if kind == "open" else used
            if kind != "open":
                billed += used
                who.settle(admitted, *((500, "engine_failed") if kind == "fail" else ()), calls=used)
        assert sum(row.calls for row in books.outcomes() if row.billable) == billed
        others.close()
        assert books.journal.verify(raw=True).findings == ()
        assert books.usage(caller.customer.id, month_of(clock.now())).calls == billed
        books.close()
