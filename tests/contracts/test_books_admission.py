"""Admission and metering, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from modelmint.commerce.errors import (
    BadCall,
    BadSettlement,
    CallExceedsRate,
    IdempotencyMismatch,
    InProgress,
    NoPlan,
    QuotaSpent,
    RateLimited,
    TrialSpent,
    Unauthenticated,
    UnknownReservation,
)
from modelmint.commerce.types import AdmissionRequest, Settlement
from modelmint.kit.clock import ManualClock
from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import a_caller, some_plans

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


def test_a_paid_call_leaves_one_billable_outcome_with_all_that_was_told(books: SqlBooks) -> None:
    caller = a_caller(books)
    admitted = caller.reserve(3)
    told = caller.settle(admitted, release="r1", variant="int8", prediction="p1", compute_ms=Decimal("2.3456"))
    assert (told.id, told.calls, told.items, told.billable) == (admitted.reservation, 3, 3, True)
    assert told.compute_ms == Decimal("2.346")
    assert (told.at, told.model, told.release, told.variant, told.prediction) == (START, "reader", "r1", "int8", "p1")
    assert list(books.outcomes()) == [told]
    assert books.counts() == {("reader", 200, "ok"): 1}


@pytest.mark.parametrize("digest", [None, "0" * 64])
def test_a_stranger_is_refused_and_leaves_no_row(books: SqlBooks, digest: str | None) -> None:
    a_caller(books)
    request = AdmissionRequest(digest, "reader", 1, 1)
    with pytest.raises(Unauthenticated):
        books.reserve(request).decided.result(30)
    with pytest.raises(Unauthenticated):
        books.refuse(request, 404, "unknown_model").result(30)
    assert list(books.outcomes()) == []


def test_a_revoked_key_is_refused_from_then_on(books: SqlBooks) -> None:
    caller = a_caller(books)
    caller.call()
    books.revoke_key(caller.key.id)
    with pytest.raises(Unauthenticated, match="revoked"):
        caller.reserve()
    with pytest.raises(Unauthenticated):
        books.key_by_digest(caller.digest)
    assert len(list(books.outcomes())) == 1


def test_a_customer_without_a_plan_is_told_what_to_buy(books: SqlBooks) -> None:
    caller = a_caller(books, plan=None)
    with pytest.raises(NoPlan) as refusal:
        caller.reserve()
    assert refusal.value.status == 402
    assert refusal.value.details["plans"] == ["payg", "clinic", "strict"]
    (row,) = books.outcomes()
    assert (row.status, row.code, row.billable, row.subscription) == (402, "no_plan", False, None)


def test_a_spent_trial_names_the_plans_to_buy_and_is_not_renewed_by_taking_it_again(books: SqlBooks) -> None:
    caller = a_caller(books, "trial")
    assert [caller.reserve().remaining for _ in range(5)] == [4, 3, 2, 1, 0]
    with pytest.raises(TrialSpent) as refusal:
        caller.reserve()
    assert refusal.value.details["plans"] == ["payg", "clinic", "strict"]
    assert "payg (0.02 USD per call)" in refusal.value.message
    many = {f"p{number}": {"per_call": f"0.{number} USD"} for number in range(1, 9)}
    books.put_plans(some_plans(many), origin="api")
    with pytest.raises(TrialSpent, match=r"\); and 6 more$") as refusal:
        caller.reserve()
    assert len(refusal.value.details["plans"]) == 11 and refusal.value.message.count(" per call") <= 5
    books.subscribe(caller.customer.id, "payg")
    caller.call()
    books.subscribe(caller.customer.id, "trial")
    with pytest.raises(TrialSpent):
        caller.reserve()


def test_a_trial_ends_with_its_days(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books, "trial")
    clock.advance(timedelta(days=14, microseconds=-1))
    caller.call()
    clock.advance(timedelta(microseconds=1))
    with pytest.raises(TrialSpent, match="14 days"):
        caller.reserve()


def test_a_batch_counts_each_of_its_items_against_the_limit(books: SqlBooks) -> None:
    caller = a_caller(books, "trial")
    caller.call(4)
    with pytest.raises(TrialSpent, match="1 of 5 free calls left, this request needs 2"):
        caller.reserve(2)
    assert caller.reserve(1).remaining == 0


def test_a_failed_call_gives_its_quota_back_and_is_not_billable(books: SqlBooks) -> None:
    caller = a_caller(books, "trial")
    for _ in range(7):
        outcome = caller.settle(caller.reserve(), 503, "overloaded")
        assert not outcome.billable
    assert caller.reserve().remaining == 4


def test_a_call_that_did_less_than_it_reserved_gives_the_rest_back(books: SqlBooks) -> None:
    caller = a_caller(books, "trial")
    outcome = caller.settle(caller.reserve(4), calls=1, items=1)
    assert (outcome.calls, outcome.items) == (1, 1)
    assert caller.reserve().remaining == 3


def test_the_monthly_quota_opens_again_with_the_month(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books, "strict")
    caller.call(5)
    with pytest.raises(QuotaSpent) as refusal:
        caller.reserve()
    assert refusal.value.details["plans"] == ["payg", "clinic"]
    clock.at = datetime(2026, 12, 1, tzinfo=UTC)
    assert caller.reserve().remaining == 4


def test_a_call_of_last_month_gives_nothing_back_to_this_month(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books, "strict")
    old = caller.reserve(5)
    clock.at = datetime(2026, 12, 1, tzinfo=UTC)
    caller.call(5)
    caller.settle(old, 500, "engine_failed")
    with pytest.raises(QuotaSpent):
        caller.reserve()


def test_the_rate_is_a_bucket_that_refills_evenly(books: SqlBooks, clock: ManualClock) -> None:
    books.put_plans(some_plans({"fast": {"per_call": "0.02 USD", "calls_per_minute": 6}}))
    caller = a_caller(books, "fast")
    caller.call(1, times=6)
    with pytest.raises(RateLimited) as refusal:
        caller.reserve()
    assert refusal.value.retry_after == 10
    clock.advance(timedelta(seconds=10))
    assert caller.reserve().rate_limit == 6
    with pytest.raises(RateLimited):
        caller.reserve()
    with pytest.raises(CallExceedsRate):
        caller.reserve(7)
    assert books.counts()["reader", 429, "rate_limited"] == 2


def test_a_clock_that_jumps_back_does_not_lock_the_rate(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books, "strict")
    caller.call()
    clock.advance(timedelta(days=-3))
    caller.call()
    assert len(list(books.outcomes())) == 2


def test_a_clock_that_jumps_back_over_the_month_does_not_open_the_quota(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books, "strict")
    caller.call(5)
    clock.advance(timedelta(days=-30))
    with pytest.raises(QuotaSpent):
        caller.reserve()


def test_the_same_settlement_twice_is_one_outcome(books: SqlBooks) -> None:
    caller = a_caller(books)
    admitted = caller.reserve()
    first = caller.settle(admitted)
    assert caller.settle(admitted) == first
    both = [books.settle(Settlement(caller_again, 200, "ok")) for caller_again in [admitted.reservation] * 2]
    assert [future.result(30) for future in both] == [first, first]
    assert books.usage(caller.customer.id, month_of(START)).calls == 1


def test_a_settlement_that_does_not_fit_is_refused_and_the_call_stays_open(books: SqlBooks) -> None:
    caller = a_caller(books)
    admitted = caller.reserve(2)
    for wrong in ({"calls": 3}, {"items": -1}, {"compute_ms": Decimal(-1)}):
        with pytest.raises(BadSettlement):
            caller.settle(admitted, **wrong)
    with pytest.raises(UnknownReservation):
        books.settle(Settlement("call_never", 200, "ok")).result(30)
    assert caller.settle(admitted).calls == 2


@pytest.mark.parametrize(("calls", "items"), [(0, 1), (-1, 1), (1, -1)])
def test_a_call_that_counts_nothing_is_refused(books: SqlBooks, calls: int, items: int) -> None:
    caller = a_caller(books)
    with pytest.raises(BadCall):
        books.reserve(AdmissionRequest(caller.digest, "reader", calls, items)).decided.result(30)


def test_a_retry_with_its_idempotency_key_is_answered_from_the_books_and_free(books: SqlBooks) -> None:
    caller = a_caller(books, "trial")
    same = {"idempotency_key": "order-1", "body_digest": "aa"}
    first = caller.reserve(**same)
    with pytest.raises(InProgress) as refusal:
        caller.reserve(**same)
    assert (refusal.value.status, refusal.value.retry_after) == (409, 1)
    caller.settle(first, answer=b'{"label":"normal"}')
    for _ in range(3):
        assert caller.reserve(**same).replay == b'{"label":"normal"}'
    with pytest.raises(IdempotencyMismatch):
        caller.reserve(idempotency_key="order-1", body_digest="bb")
    assert books.usage(caller.customer.id, month_of(START)).calls == 1
    assert caller.reserve().remaining == 3
    assert books.counts()["reader", 200, "replayed"] == 3


def test_a_failed_call_may_be_tried_again_with_its_idempotency_key(books: SqlBooks) -> None:
    caller = a_caller(books)
    same = {"idempotency_key": "order-2", "body_digest": "aa"}
    caller.settle(caller.reserve(**same), 503, "overloaded")
    assert caller.reserve(**same).replay is None


def test_an_idempotency_key_is_forgotten_after_a_day(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    same = {"idempotency_key": "order-3", "body_digest": "aa"}
    caller.settle(caller.reserve(**same), answer=b"1")
    clock.advance(timedelta(hours=24))
    again = caller.reserve(**same)
    assert again.replay is None
    caller.settle(again, answer=b"2")
    assert caller.reserve(**same).replay == b"2"


def test_two_customers_may_use_the_same_idempotency_key(books: SqlBooks) -> None:
    north, south = a_caller(books), a_caller(books, name="Clinic South")
    north.settle(north.reserve(idempotency_key="1", body_digest="a"), answer=b"north")
    south.settle(south.reserve(idempotency_key="1", body_digest="b"), answer=b"south")
    assert north.reserve(idempotency_key="1", body_digest="a").replay == b"north"


def test_many_calls_waiting_together_are_decided_one_after_the_other(books: SqlBooks) -> None:
    caller = a_caller(books, "trial")
    tickets = [books.reserve(caller.request()) for _ in range(50)]
    admitted = [ticket for ticket in tickets if ticket.decided.exception(30) is None]
    assert len(admitted) == 5
    assert {type(ticket.decided.exception()) for ticket in tickets} == {type(None), TrialSpent}
    ends = [books.settle(Settlement(ticket.decided.result().reservation, 200, "ok")) for ticket in admitted]
    assert sum(end.result(30).calls for end in ends) == 5


@pytest.mark.parametrize("idle", [0, 600], ids=["never-lent", "lent"])
def test_one_call_that_the_database_cannot_hold_does_not_fail_the_others(
    books: SqlBooks, monkeypatch: pytest.MonkeyPatch, idle: float
) -> None:
    monkeypatch.setattr("modelmint.store.leases.IDLE", idle)
    caller = a_caller(books)
    caller.call(times=3)
    tickets = [books.reserve(caller.request()) for _ in range(20)]
    broken = books.reserve(AdmissionRequest(caller.digest, "\ud800", 1, 1))
    tickets += [books.reserve(caller.request()) for _ in range(20)]
    assert all(ticket.decided.result(30).plan == "payg" for ticket in tickets)
    assert broken.decided.exception(30) is not None
    assert caller.call()[0].billable


def test_a_caller_who_gives_up_cannot_take_a_call_out_of_the_books(books: SqlBooks) -> None:
    caller = a_caller(books)
    ticket = books.reserve(caller.request())
    assert not ticket.decided.cancel()
    end = books.settle(Settlement(ticket.decided.result(30).reservation, 200, "ok"))
    assert not end.cancel()
    assert end.result(30).billable


def test_usage_counts_by_model_and_day_and_refusals_by_code(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    caller.call(2)
    clock.advance(timedelta(days=1))
    caller.call(1, times=3)
    books.refuse(AdmissionRequest(caller.digest, "ghost", 1, 0), 404, "unknown_model").result(30)
    found = books.usage(caller.customer.name, month_of(START))
    assert (found.calls, found.items) == (5, 5)
    assert found.by_model == {"reader": 5}
    assert found.by_day == {"2026-11-10": 2, "2026-11-11": 3}
    assert found.refused == {"unknown_model": 1}
    assert books.counts() == {("reader", 200, "ok"): 4, ("ghost", 404, "unknown_model"): 1}
    later = month_of(START + timedelta(days=40))
    assert books.usage(caller.customer.id, later).calls == 0
    assert [row.calls for row in books.outcomes(caller.customer.id, month_of(START)) if row.billable] == [2, 1, 1, 1]
