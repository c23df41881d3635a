"""How customers hold plans over time, on both stores: change, pause, resume, cancel, preview."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from modelmint.commerce.billing.types import BillingDetails
from modelmint.commerce.errors import (
    CreditSpent,
    MomentNotAhead,
    MomentTooFar,
    NothingHeld,
    OnlyAtPeriodEnd,
    QuotaSpent,
    SubscriptionPaused,
    TrialSpent,
    UnknownPlan,
)
from modelmint.kit.clock import ManualClock
from modelmint.kit.money import Money
from modelmint.kit.period import Period, month_of
from modelmint.store import gather
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller, some_plans

START = datetime(2026, 11, 11, tzinfo=UTC)
NOVEMBER = month_of(START)
DECEMBER = month_of(NOVEMBER.end)
TABLES = {
    "trial": {"free_calls": 5, "days": 14},
    "basic": {"monthly": "30 USD"},
    "big": {"monthly": "60 USD"},
    "year": {"yearly": "365 USD"},
    "most": {"per_call": "1 USD", "minimum": "9000 USD"},
    "half": {"yearly": "359 USD"},
    "euro": {"monthly": "90 EUR"},
    "least": {"minimum": "30 USD", "charges": [{"price": "0.01 USD", "included": 5000}]},
    "tiers": {"charges": [{"tiers": [{"up_to": 3, "price": "1 USD"}, {"price": "0.10 USD"}]}]},
    "four": {"per_call": "1 USD", "max_calls": 4},
    "thousand": {"per_call": "1 USD", "max_calls": 1000},
    "credit": {"per_call": "1 USD", "prepaid": True},
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    opened.put_plans(some_plans(TABLES))
    yield opened
    opened.close()


def caller(books: SqlBooks, plan: str) -> Caller:
    found = a_caller(books, None)
    books.put_plans(some_plans(TABLES))
    books.subscribe(found.customer.id, plan)
    return found


def go(clock: ManualClock, to: datetime) -> None:
    clock.advance(to - clock.now())


def held(books: SqlBooks, customer: str) -> list[tuple[str, datetime, datetime | None, str]]:
    return [(s.plan, s.starts_at, s.ends_at, s.state) for s in books.subscriptions(customer)]


def fees(books: SqlBooks, customer: str, until: datetime = NOVEMBER.end) -> list[int]:
    """Totals of the closed month, by invoice."""
    period = month_of(until - timedelta(days=1))
    return [invoice.total.minor for invoice in books.close_period(customer, period, "")]


def test_a_change_at_the_periods_end_leaves_the_plan_until_then(books: SqlBooks, clock: ManualClock) -> None:
    who = caller(books, "basic").customer.id
    books.contracts.change(who, "big", "period_end")
    assert held(books, who) == [("basic", START, NOVEMBER.end, "active"), ("big", NOVEMBER.end, None, "active")]
    current = books.contracts.current(who)
    assert current is not None and current.plan == "basic"
    (planned,) = books.contracts.scheduled(who)
    assert (planned.at, planned.what, planned.plan) == (NOVEMBER.end, "change", "big")
    go(clock, DECEMBER.end)
    # 20 of 30 days of 30 USD; then a whole month of 60 USD.
    assert fees(books, who) == [2000]
    assert fees(books, who, DECEMBER.end) == [6000]


def test_a_change_that_is_planned_does_not_begin_when_the_billing_day_is_set(
    books: SqlBooks, clock: ManualClock
) -> None:
    me = caller(books, "four")
    ahead = datetime(2027, 1, 15, tzinfo=UTC)
    books.contracts.change(me.customer.id, "thousand", ahead)
    books.bills.set_details(me.customer.id, BillingDetails(anchor=15))
    assert [me.reserve().plan for _ in range(4)] == ["four"] * 4
    with pytest.raises(QuotaSpent):
        me.reserve()
    go(clock, ahead)
    assert me.reserve().plan == "thousand"


def test_what_was_planned_can_be_undone(books: SqlBooks, clock: ManualClock) -> None:
    who = caller(books, "basic").customer.id
    books.contracts.cancel(who, "period_end")
    assert [planned.what for planned in books.contracts.scheduled(who)] == ["cancel"]
    books.contracts.unschedule(who)
    assert held(books, who) == [("basic", START, None, "active")]
    assert books.contracts.scheduled(who) == []


def test_a_planned_change_is_replaced_by_a_later_wish(books: SqlBooks) -> None:
    who = caller(books, "basic").customer.id
    books.contracts.change(who, "big", "period_end")
    books.contracts.change(who, "year", "period_end")
    assert held(books, who) == [("basic", START, NOVEMBER.end, "active"), ("year", NOVEMBER.end, None, "active")]


def test_choosing_the_plan_that_is_held_undoes_its_end(books: SqlBooks) -> None:
    who = caller(books, "basic").customer.id
    books.contracts.cancel(who, "period_end")
    books.contracts.change(who, "basic")
    assert held(books, who) == [("basic", START, None, "active")]


def test_cancelled_now_admits_no_further_call(books: SqlBooks, clock: ManualClock) -> None:
    north = caller(books, "basic")
    clock.advance(timedelta(days=1))
    ended = books.contracts.cancel(north.customer.id)
    assert ended.ends_at == clock.now()
    assert books.contracts.current(north.customer.id) is None
    with pytest.raises(Exception, match="you hold no plan"):
        north.reserve()


def test_a_plan_cancelled_at_the_periods_end_admits_calls_until_then(books: SqlBooks, clock: ManualClock) -> None:
    north = caller(books, "basic")
    books.contracts.cancel(north.customer.id, "period_end")
    go(clock, NOVEMBER.end - timedelta(microseconds=1))
    north.call()
    go(clock, NOVEMBER.end)
    with pytest.raises(Exception, match="you hold no plan"):
        north.reserve()


def test_a_pause_costs_no_fee_and_admits_no_call(books: SqlBooks, clock: ManualClock) -> None:
    north = caller(books, "basic")
    go(clock, datetime(2026, 11, 16, tzinfo=UTC))
    books.contracts.pause(north.customer.id)
    with pytest.raises(SubscriptionPaused):
        north.reserve()
    go(clock, datetime(2026, 11, 26, tzinfo=UTC))
    books.contracts.resume(north.customer.id)
    north.call()
    go(clock, DECEMBER.start)
    # Held 5 + 5 of 30 days.
    assert fees(books, north.customer.id) == [1000]


def test_tiers_go_on_after_a_pause(books: SqlBooks, clock: ManualClock) -> None:
    north = caller(books, "tiers")
    north.call(3)
    clock.advance(timedelta(days=1))
    books.contracts.pause(north.customer.id)
    clock.advance(timedelta(days=1))
    books.contracts.resume(north.customer.id)
    north.call(2)
    go(clock, DECEMBER.start)
    # 3 x 1.00, and the next two in the second tier.
    assert fees(books, north.customer.id) == [320]


def test_tiers_go_on_when_a_plan_is_taken_up_again_in_the_same_period(books: SqlBooks, clock: ManualClock) -> None:
    north = caller(books, "tiers")
    north.call(3)
    for plan in ("basic", "tiers"):
        clock.advance(timedelta(days=1))
        books.contracts.change(north.customer.id, plan)
    first, _, last = books.subscriptions(north.customer.id)
    assert last.root == first.id
    north.call(2)
    go(clock, DECEMBER.start)
    # One day of basic; 3 x 1.00 + 2 x 0.10.
    assert sorted(fees(books, north.customer.id)) == [100, 320]


def test_tiers_begin_anew_when_a_plan_is_taken_up_in_another_period(books: SqlBooks, clock: ManualClock) -> None:
    north = caller(books, "tiers")
    books.contracts.change(north.customer.id, "basic", "period_end")
    go(clock, DECEMBER.start + timedelta(days=1))
    books.contracts.change(north.customer.id, "tiers")
    assert books.subscriptions(north.customer.id)[-1].root == books.subscriptions(north.customer.id)[-1].id


def test_resuming_what_is_not_paused_changes_nothing(books: SqlBooks) -> None:
    who = caller(books, "basic").customer.id
    before = held(books, who)
    books.contracts.resume(who)
    assert held(books, who) == before


def test_pausing_twice_changes_nothing(books: SqlBooks, clock: ManualClock) -> None:
    who = caller(books, "basic").customer.id
    clock.advance(timedelta(days=1))
    books.contracts.pause(who)
    before = held(books, who)
    clock.advance(timedelta(days=1))
    books.contracts.pause(who)
    assert held(books, who) == before


def test_a_change_that_is_planned_still_happens_after_a_pause(books: SqlBooks, clock: ManualClock) -> None:
    who = caller(books, "basic").customer.id
    books.contracts.change(who, "big", "period_end")
    clock.advance(timedelta(days=1))
    books.contracts.pause(who)
    assert [(plan, state) for plan, _, _, state in held(books, who)] == [
        ("basic", "active"),
        ("basic", "paused"),
        ("big", "active"),
    ]


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
def test_without_a_plan_there_is_nothing_to_change(books: SqlBooks, verb: str) -> None:
    who = a_caller(books, None).customer.id
    with pytest.raises(NothingHeld):
        getattr(books.contracts, verb)(who)


@pytest.mark.parametrize("when", ["tomorrow", START - timedelta(seconds=1), datetime(2027, 1, 1)])
def test_a_moment_that_is_past_or_none_is_refused_and_nothing_is_stored(books: SqlBooks, when: str | datetime) -> None:
    who = caller(books, "basic").customer.id
    before = held(books, who)
    with pytest.raises(MomentNotAhead):
        books.contracts.change(who, "big", when)
    assert held(books, who) == before


def test_a_plan_that_is_not_on_sale_cannot_be_taken(books: SqlBooks) -> None:
    who = caller(books, "basic").customer.id
    books.put_plans(some_plans({"big": TABLES["big"]}))
    with pytest.raises(UnknownPlan, match="not on sale any more"):
        books.contracts.change(who, "year")


def test_a_trial_planned_ahead_is_not_renewed(books: SqlBooks, clock: ManualClock) -> None:
    north = caller(books, "trial")
    north.call(5)
    clock.advance(timedelta(days=1))
    books.contracts.change(north.customer.id, "basic")
    clock.advance(timedelta(days=1))
    books.contracts.change(north.customer.id, "trial", clock.now() + timedelta(days=1))
    clock.advance(timedelta(days=2))
    with pytest.raises(TrialSpent):
        north.reserve()


def test_calls_used_before_a_span_that_was_planned_ahead_count_in_it(books: SqlBooks, clock: ManualClock) -> None:
    north = caller(books, "four")
    who = north.customer.id
    books.contracts.pause(who, clock.now() + timedelta(days=1))
    books.contracts.resume(who, clock.now() + timedelta(days=2))
    north.call(3)
    clock.advance(timedelta(days=3))
    north.call(1)
    with pytest.raises(Exception, match="all are used"):
        north.reserve()


@pytest.mark.parametrize("verb", ["change", "pause"])
def test_quota_that_was_lent_when_the_plan_changed_is_not_lost(books: SqlBooks, clock: ManualClock, verb: str) -> None:
    north = caller(books, "thousand")
    who, served = north.customer.id, 0
    for _ in range(3):
        served += sum(outcome.calls for outcome in north.call(times=5))
        clock.advance(timedelta(seconds=1))
        if verb == "pause":
            books.contracts.pause(who)
        else:
            books.contracts.change(who, "basic")
        clock.advance(timedelta(seconds=1))
        books.contracts.change(who, "thousand")
    for calls in (100, 10, 1):
        while True:
            try:
                served += north.call(calls)[0].calls
            except QuotaSpent:
                break
    assert served == 1000


def test_prepaid_credit_covers_calls_after_a_pause(books: SqlBooks, clock: ManualClock) -> None:
    north = caller(books, "credit")
    books.credits.grant(north.customer.id, Money(1000, "USD"))
    north.call(6)
    clock.advance(timedelta(seconds=1))
    books.contracts.pause(north.customer.id)
    clock.advance(timedelta(seconds=1))
    books.contracts.resume(north.customer.id)
    north.call(4)
    with pytest.raises(CreditSpent):
        north.reserve()


def test_a_change_now_after_a_closing_is_never_inside_the_closed_period(books: SqlBooks, clock: ManualClock) -> None:
    who = caller(books, "basic").customer.id
    clock.advance(timedelta(days=1))
    books.close_period(who, NOVEMBER, "", until_now=True)
    clock.advance(-timedelta(hours=1))
    books.contracts.change(who, "big")
    go(clock, DECEMBER.start)
    # 19 days of 60 USD beside 1 day of 30 USD, the microsecond of the closing rounded away.
    assert sum(fees(books, who)) == 100 + 3800


def test_a_year_given_up_right_after_a_closing_is_given_back(books: SqlBooks, clock: ManualClock) -> None:
    who = caller(books, "year").customer.id
    books.close_period(who, NOVEMBER, "", until_now=True)
    books.contracts.cancel(who)
    go(clock, DECEMBER.start)
    assert sum(fees(books, who)) == 0


@pytest.mark.parametrize("plan", ["basic", "year", "least"])
def test_an_upgrade_and_back_in_the_same_second_costs_nothing(books: SqlBooks, clock: ManualClock, plan: str) -> None:
    north, south = caller(books, plan), a_caller(books, None, "South")
    books.put_plans(some_plans(TABLES))
    books.subscribe(south.customer.id, plan)
    clock.advance(timedelta(days=1))
    for wanted in ("big", plan, "year", plan, "most", plan):
        books.contracts.change(north.customer.id, wanted)
        clock.advance(timedelta(milliseconds=150))
    go(clock, DECEMBER.start)
    assert sum(fees(books, north.customer.id)) == sum(fees(books, south.customer.id)) > 0


def test_a_preview_says_what_the_change_then_does_and_stores_nothing(books: SqlBooks, clock: ManualClock) -> None:
    who = caller(books, "basic").customer.id
    go(clock, datetime(2026, 11, 21, tzinfo=UTC))
    before = held(books, who)
    preview = books.contracts.preview(who, "big")
    assert held(books, who) == before
    assert books.contracts.scheduled(who) == []
    # 20 days of 30 USD; then 10 days of 30 USD and 10 days of 60 USD.
    assert [draft.total.minor for draft in preview.now] == [2000]
    assert [draft.total.minor for draft in preview.changed] == [1000, 2000]
    assert preview.difference == Money(1000, "USD")
    books.contracts.change(who, "big")
    go(clock, DECEMBER.start)
    assert fees(books, who) == [1000, 2000]


def test_a_preview_of_a_change_at_the_periods_end_reaches_into_the_next(books: SqlBooks) -> None:
    who = caller(books, "basic").customer.id
    preview = books.contracts.preview(who, "big", "period_end")
    assert preview.at == NOVEMBER.end
    assert preview.difference == Money(3000, "USD")


def test_a_preview_of_a_cancellation_gives_back_the_year(books: SqlBooks, clock: ManualClock) -> None:
    who = caller(books, "year").customer.id
    clock.advance(timedelta(days=10))
    # 1 USD a day.
    assert books.contracts.preview(who, None).difference == Money(-35_500, "USD")
    with pytest.raises(NothingHeld):
        books.contracts.preview(a_caller(books, None, "South").customer.id, None)


def test_changes_are_in_the_audit_log_and_told(books: SqlBooks) -> None:
    who = caller(books, "basic").customer.id
    books.contracts.pause(who, "period_end")
    said = [entry for entry in books.people.audit() if entry.action == "subscription.changed"]
    assert [entry.data["what"] for entry in said] == ["paused", "changed"]
    assert {entry.subject for entry in said} == {who}


def test_spans_never_overlap_after_any_changes(books: SqlBooks, clock: ManualClock) -> None:
    who = caller(books, "basic").customer.id
    contracts = books.contracts
    for step in range(12):
        clock.advance(timedelta(days=3))
        ahead = clock.now() + timedelta(days=step % 4)
        contracts.change(who, ("basic", "big", "year")[step % 3], ahead if step % 2 else "now")
        contracts.pause(who, ahead + timedelta(days=1))
        contracts.resume(who, ahead + timedelta(days=1 + step % 3))
    spans = books.subscriptions(who)
    assert all(one.ends_at is not None and one.ends_at <= other.starts_at for one, other in pairwise(spans))


@pytest.mark.parametrize("verb", ["change", "pause", "resume", "cancel", "preview"])
@pytest.mark.parametrize(
    "when", [datetime(9990, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC), START + timedelta(days=400, seconds=1)]
)
def test_a_moment_beyond_400_days_is_refused_and_nothing_is_stored(books: SqlBooks, verb: str, when: datetime) -> None:
    who = caller(books, "basic").customer.id
    before = held(books, who)
    plan = ("big",) if verb in ("change", "preview") else ()
    with pytest.raises(MomentTooFar, match="until 2027-12-16T00:00:00Z"):
        getattr(books.contracts, verb)(who, *plan, when)
    assert held(books, who) == before


def test_a_change_can_be_planned_400_days_ahead(books: SqlBooks) -> None:
    who = caller(books, "basic").customer.id
    books.contracts.change(who, "big", START + timedelta(days=400))
    preview = books.contracts.preview(who, None, START + timedelta(days=400))
    assert len({draft.period.start for draft in preview.now}) == 14


def test_a_preview_makes_no_call_wait_and_recalls_no_lease(books: SqlBooks) -> None:
    north = caller(books, "thousand")
    north.call()
    with books._database.write():  # whoever holds the books
        assert books.contracts.preview(north.customer.id, "big").difference is not None


def test_a_preview_pays_with_the_credit_that_earlier_open_periods_left(books: SqlBooks, clock: ManualClock) -> None:
    who = caller(books, "basic").customer.id
    books.credits.grant(who, Money(12_000, "USD"))
    go(clock, datetime(2027, 2, 1, tzinfo=UTC))
    # 20 + 30 + 30 USD are taken by the periods before; 40 of 60 USD are left for this one.
    (draft,) = books.contracts.preview(who, "big").changed
    assert (draft.period.start, draft.total.minor, draft.due.minor) == (clock.now(), 6000, 2000)


def test_a_preview_drafts_no_earlier_period_where_there_is_no_credit(
    books: SqlBooks, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = caller(books, "basic").customer.id
    go(clock, datetime(2028, 11, 11, tzinfo=UTC))
    drafted: list[datetime] = []
    gathered = gather.usage

    def counted(connection: object, customer: str, held: object, part: Period, period: datetime) -> object:
        drafted.append(part.start)
        return gathered(connection, customer, held, part, period)  # type: ignore[arg-type]

    monkeypatch.setattr(gather, "usage", counted)
    books.contracts.preview(who, "big")
    assert drafted == [datetime(2028, 11, 1, tzinfo=UTC)] * 2


@pytest.mark.parametrize("plan", ["basic", "year", "least"])
def test_customers_cannot_leave_a_fee_before_the_period_ends(books: SqlBooks, clock: ManualClock, plan: str) -> None:
    who = caller(books, plan).customer.id
    clock.advance(timedelta(seconds=5))
    before, contracts = held(books, who), books.contracts
    for when in ("now", clock.now() + timedelta(seconds=1), NOVEMBER.end - timedelta(microseconds=1)):
        for leave in (contracts.cancel, contracts.pause):
            with pytest.raises(OnlyAtPeriodEnd, match="from 2026-12-01T00:00:00Z on"):
                leave(who, when, own=True)
        for wanted in ("trial", "four", "euro", *(("half",) if plan == "year" else ())):
            with pytest.raises(OnlyAtPeriodEnd, match="fee is lower or in another currency"):
                contracts.change(who, wanted, when, own=True)
    assert held(books, who) == before


def test_a_planned_change_is_no_way_around_the_periods_end(books: SqlBooks, clock: ManualClock) -> None:
    who = caller(books, "basic").customer.id
    books.contracts.change(who, "four", "period_end", own=True)
    for again in (NOVEMBER.end - timedelta(days=1), "now"):
        with pytest.raises(OnlyAtPeriodEnd):
            books.contracts.cancel(who, again, own=True)
    go(clock, NOVEMBER.end + timedelta(hours=1))
    books.contracts.change(who, "trial", own=True)


def test_customers_leave_a_fee_at_the_periods_end(books: SqlBooks) -> None:
    who, contracts = caller(books, "big").customer.id, books.contracts
    contracts.pause(who, "period_end", own=True)
    contracts.unschedule(who)
    contracts.change(who, "basic", "period_end", own=True)
    assert contracts.cancel(who, DECEMBER.end, own=True).ends_at == DECEMBER.end


@pytest.mark.parametrize(("plan", "wanted"), [("basic", "big"), ("basic", "year"), ("half", "basic"), ("least", "big")])
def test_customers_take_a_plan_of_the_same_or_a_higher_fee_at_once(books: SqlBooks, plan: str, wanted: str) -> None:
    who = caller(books, plan).customer.id
    assert books.contracts.change(who, wanted, own=True).plan == wanted


@pytest.mark.parametrize("plan", ["trial", "four", "credit"])
def test_customers_leave_what_costs_no_fee_at_once(books: SqlBooks, clock: ManualClock, plan: str) -> None:
    who, contracts = caller(books, plan).customer.id, books.contracts
    clock.advance(timedelta(hours=1))
    contracts.pause(who, own=True)
    contracts.resume(who)
    contracts.cancel(who, own=True)
    assert contracts.current(who) is None


def test_customers_leave_a_paused_plan_at_once(books: SqlBooks, clock: ManualClock) -> None:
    who, contracts = caller(books, "big").customer.id, books.contracts
    contracts.pause(who, "period_end", own=True)
    go(clock, NOVEMBER.end + timedelta(days=3))
    assert contracts.change(who, "basic", own=True).plan == "basic"


def test_a_preview_says_that_a_customer_cannot_have_it_now(books: SqlBooks) -> None:
    who, contracts = caller(books, "big").customer.id, books.contracts
    for wanted in ("basic", None):
        assert "Ask again with 'period_end'" in contracts.preview(who, wanted, own=True).refused
        assert contracts.preview(who, wanted).refused == ""
        assert contracts.preview(who, wanted, "period_end", own=True).refused == ""
