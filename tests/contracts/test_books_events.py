"""Usage events in the books: all or nothing, once, in the right period."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from modelmint.commerce.errors import NoPlan
from modelmint.commerce.metering.errors import (
    BadEvents,
    BadPosition,
    EventConflict,
    MeterFull,
    MixedCurrencies,
    NegativeQuantity,
    TooPrecise,
)
from modelmint.commerce.metering.types import Recorded, UsageEvent, UsageRow
from modelmint.kit.clock import ManualClock
from modelmint.kit.errors import ModelmintError
from modelmint.kit.money import Money
from modelmint.kit.period import Period, month_of
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller, some_plans

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
NOVEMBER = month_of(NOW)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    books = open_books(url, clock)
    yield books
    books.close()


@pytest.fixture
def caller(books: SqlBooks, clock: ManualClock) -> Caller:
    clock.at = datetime(2026, 11, 1, tzinfo=UTC)
    caller = a_caller(books)
    clock.at = NOW
    return caller


def event(name: str, **more: Any) -> UsageEvent:
    return UsageEvent("/jobs/night", name, "dev.modelmint.usage", more.pop("time", NOW), "tokens", **more)


def record(caller: Caller, *events: UsageEvent) -> Recorded:
    return caller.books.meters.record(caller.customer.id, caller.key.id, events)


def tokens(caller: Caller, period: Period = NOVEMBER) -> Decimal:
    return caller.books.usage(caller.customer.id, period).by_meter.get("tokens", Decimal(0))


def test_events_are_recorded_and_added_up(caller: Caller) -> None:
    found = record(caller, event("a", quantity=Decimal("1.5")), event("b", quantity=Decimal(2), model="reader"))
    assert found == Recorded(accepted=2, duplicates=0, late=0)
    assert tokens(caller) == Decimal("3.5")
    assert caller.books.meters.table(caller.customer.id, NOVEMBER, ("day", "model")) == [
        UsageRow("2026-11-10", "", "", "", "tokens", "", 1, Decimal("1.5")),
        UsageRow("2026-11-10", "reader", "", "", "tokens", "", 1, Decimal(2)),
    ]


def test_an_event_that_comes_again_with_the_same_content_is_counted_once(caller: Caller) -> None:
    record(caller, event("a"), event("b"))
    assert record(caller, event("b"), event("c"), event("c")) == Recorded(accepted=1, duplicates=2, late=0)
    assert tokens(caller) == 3


def test_a_known_id_with_other_content_is_refused_and_nothing_of_its_batch_is_stored(caller: Caller) -> None:
    record(caller, event("a"))
    with pytest.raises(EventConflict) as caught:
        record(caller, event("b"), event("a", quantity=Decimal(2)))
    assert [problem["index"] for problem in caught.value.details["events"]] == [1]
    assert tokens(caller) == 1


def test_two_contents_under_one_id_in_one_batch_are_refused(caller: Caller) -> None:
    with pytest.raises(EventConflict):
        record(caller, event("a"), event("a", value="x"))
    assert tokens(caller) == 0


def test_the_same_id_of_another_source_or_another_customer_is_another_event(books: SqlBooks, caller: Caller) -> None:
    other = a_caller(books, name="Clinic South")
    assert record(caller, event("a"), replace(event("a"), source="/jobs/day")).accepted == 2
    assert record(other, event("a", quantity=Decimal(7))).accepted == 1
    assert (tokens(caller), tokens(other)) == (2, 7)


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (event("b", quantity=Decimal("-0.000001")), NegativeQuantity),
        (event("b", quantity=Decimal("0.0000001")), TooPrecise),
        (event("b", amount=Money(100, "EUR")), MixedCurrencies),
        (event("b", time=NOW - timedelta(days=20)), NoPlan),
    ],
)
def test_one_bad_event_refuses_its_whole_batch(caller: Caller, wrong: UsageEvent, kind: type[ModelmintError]) -> None:
    with pytest.raises(kind):
        record(caller, event("a"), wrong, event("c"))
    assert tokens(caller) == 0


def test_problems_of_several_kinds_are_told_together(caller: Caller) -> None:
    with pytest.raises(BadEvents) as caught:
        record(caller, event("a", time=NOW - timedelta(days=20)), event("b"), event("c", amount=Money(1, "CNY")))
    told = [(problem["index"], problem["code"]) for problem in caught.value.details["events"]]
    assert told == [(0, "no_plan"), (2, "mixed_currencies")]


def test_a_meter_is_refused_before_its_sum_cannot_be_exact(caller: Caller) -> None:
    huge = Decimal(800_000_000_000)
    record(caller, event("a", quantity=huge))
    with pytest.raises(MeterFull):
        record(caller, event("b", quantity=huge))
    with pytest.raises(MeterFull):
        record(caller, event("c", quantity=huge), event("d", quantity=huge))
    assert tokens(caller) == huge


def test_a_meter_spread_over_many_days_and_states_is_no_larger(caller: Caller) -> None:
    most = Decimal(1_000_000_000)
    for day in range(1, 10):
        many = [event(f"{day} {n}", quantity=most, state=f"s{n}", time=NOW.replace(day=day)) for n in range(100)]
        record(caller, *many)
    with pytest.raises(MeterFull):
        record(caller, *[event(f"10 {n}", quantity=most, state=f"s{n}", time=NOW.replace(day=10)) for n in range(100)])
    assert tokens(caller) == 900 * most


TERMS = {
    "sum": {"meter": "pages", "price": "10 USD"},
    "tiers": {"meter": "pages", "tiers": [{"up_to": 10, "price": "0 USD"}, {"price": "900000000 USD"}]},
    "package": {"meter": "pages", "price": "100000000000 USD", "package": 100},
    "max": {"meter": "pages", "price": "999999999999 USD", "aggregate": "max"},
    "percent": {"meter": "pages", "percent": "100 %"},
}


@pytest.mark.parametrize("name", TERMS)
def test_no_usage_is_taken_that_no_invoice_could_say(books: SqlBooks, clock: ManualClock, name: str) -> None:
    clock.at = NOVEMBER.start
    plan = {"currency": "USD", "monthly": "5 USD", "charges": [TERMS[name]]}
    books.put_plans(some_plans({"dear": plan}))
    caller = a_caller(books, plan="dear")
    clock.at = NOW
    amount, taken = Money(10**12, "USD"), 0
    with pytest.raises(MeterFull):
        for number in range(2000):
            record(caller, replace(event(f"{number}", quantity=Decimal(1_000_000_000), amount=amount), meter="pages"))
            taken += 1
    clock.at = NOVEMBER.end
    (invoice,) = books.close_period(caller.customer.id, NOVEMBER, "")
    held = caller.books.usage(caller.customer.id, NOVEMBER).by_meter.get("pages", 0)
    assert invoice.total.minor < 10**15 and held == taken * Decimal(1_000_000_000)


def test_many_events_of_a_large_quantity_are_taken_where_only_their_number_costs(
    books: SqlBooks, clock: ManualClock
) -> None:
    clock.at = NOVEMBER.start
    plan = {"charges": [{"meter": "tokens", "price": "10 USD", "aggregate": "count"}]}
    books.put_plans(some_plans({"counted": plan}))
    caller = a_caller(books, plan="counted")
    clock.at = NOW
    many = [event(f"{number}", quantity=Decimal(100_000_000)) for number in range(2000)]
    assert record(caller, *many).accepted == 2000


def test_an_event_falls_into_its_own_open_period_however_late_it_comes(caller: Caller, clock: ManualClock) -> None:
    clock.at = datetime(2026, 12, 3, tzinfo=UTC)
    assert record(caller, event("a")).late == 0
    assert (tokens(caller), tokens(caller, month_of(clock.at))) == (1, 0)


def test_an_event_of_a_closed_period_is_booked_now_and_said_to_be_late(caller: Caller, clock: ManualClock) -> None:
    clock.at = datetime(2026, 12, 3, tzinfo=UTC)
    caller.books.close_period(caller.customer.id, NOVEMBER, "")
    assert record(caller, event("a"), event("b", time=clock.at)) == Recorded(accepted=2, duplicates=0, late=1)
    assert (tokens(caller), tokens(caller, month_of(clock.at))) == (0, 2)


def test_an_event_of_a_closed_period_stands_on_the_next_invoice_as_a_correction(
    books: SqlBooks, clock: ManualClock
) -> None:
    clock.at = datetime(2026, 11, 1, tzinfo=UTC)
    tiers = [{"up_to": 2, "price": "1 USD"}, {"price": "0.5 USD"}]
    books.put_plans(some_plans({"jobs": {"charges": [{"meter": "tokens", "tiers": tiers}]}}))
    caller = a_caller(books, "jobs")
    record(caller, event("a", quantity=Decimal("1.5")))
    clock.at = datetime(2026, 12, 3, tzinfo=UTC)
    (november,) = books.close_period(caller.customer.id, NOVEMBER, "")
    record(caller, event("late", quantity=Decimal("1.5")), event("own", time=clock.at))
    clock.at = datetime(2027, 1, 3, tzinfo=UTC)
    (december,) = books.close_period(caller.customer.id, month_of(datetime(2026, 12, 3, tzinfo=UTC)), "")
    late = [line for line in december.lines if line.data.get("late")]
    # 1.5 of the 2 in the first tier were billed: 0.5 at 1 USD and 1 at 0.5 USD are left, 1 USD; its own: 1 at 1 USD.
    assert (november.total, sum(line.amount.minor for line in late)) == (Money(150, "USD"), 100)
    assert december.total == Money(200, "USD")


def test_no_event_is_booked_before_a_cut_that_it_comes_after(caller: Caller, clock: ManualClock) -> None:
    record(caller, event("a", time=NOW - timedelta(hours=3)))
    caller.books.close_period(caller.customer.id, NOVEMBER, "", until_now=True)
    clock.advance(timedelta(hours=1))
    assert record(caller, event("b", time=NOW - timedelta(hours=2)), event("c", time=clock.at)).late == 1
    days = caller.books.meters.table(caller.customer.id, NOVEMBER, ("day",))
    assert [(row.day, row.n) for row in days] == [("2026-11-10", 3)]


def test_a_clock_that_is_a_little_ahead_books_nothing_in_the_future(caller: Caller, clock: ManualClock) -> None:
    clock.at = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    record(caller, event("a", time=clock.at + timedelta(minutes=3)))
    assert (tokens(caller), tokens(caller, month_of(clock.at + timedelta(minutes=3)))) == (1, 0)


@pytest.mark.parametrize(
    ("terms", "cents"), [({"included": 5}, 500), ({}, 1500), ({"minimum": "20 USD"}, 4000), ({"cap": "7 USD"}, 1200)]
)
def test_an_event_dated_into_the_next_period_counts_in_the_period_in_which_it_came(
    books: SqlBooks, clock: ManualClock, terms: dict[str, Any], cents: int
) -> None:
    clock.at = datetime(2026, 11, 1, tzinfo=UTC)
    charge = {"meter": "tokens", "price": "1 USD"} | {name: terms[name] for name in terms if name == "included"}
    plan = {"charges": [charge]} | {name: terms[name] for name in terms if name != "included"}
    books.put_plans(some_plans({"jobs": plan}))
    caller = a_caller(books, "jobs")
    clock.at = datetime(2026, 11, 30, 23, 58, tzinfo=UTC)
    ahead = clock.at + timedelta(minutes=4)
    record(caller, event("ahead", time=ahead, quantity=Decimal(5)))
    clock.at = ahead
    record(caller, event("on time", time=ahead, quantity=Decimal(10)))
    clock.at = datetime(2027, 1, 1, tzinfo=UTC)
    made = books.bills.close_due("").invoices
    assert sum(invoice.total.minor for invoice in made) == cents
    assert not [line for invoice in made for line in invoice.lines if line.data.get("late")]


def test_an_event_dated_after_a_change_of_plan_counts_under_the_plan_of_now(
    books: SqlBooks, clock: ManualClock
) -> None:
    plans = {"old": {"charges": [{"meter": "tokens", "price": "1 USD"}]}}
    books.put_plans(some_plans(plans | {"new": {"charges": [{"meter": "tokens", "price": "3 USD"}]}}))
    caller = a_caller(books, "old")
    books.contracts.change(caller.customer.id, "new", "period_end")
    clock.at = datetime(2026, 11, 30, 23, 58, tzinfo=UTC)
    record(caller, event("ahead", time=clock.at + timedelta(minutes=4)))
    clock.at = datetime(2026, 12, 1, tzinfo=UTC)
    assert [(invoice.plan, invoice.total.minor) for invoice in books.bills.close_due("").invoices] == [("old", 100)]


def test_an_event_dated_into_a_plan_that_has_not_begun_is_refused(books: SqlBooks, caller: Caller) -> None:
    books.contracts.cancel(caller.customer.id, NOW + timedelta(minutes=1))
    assert record(caller, event("a", time=NOW + timedelta(minutes=2))).accepted == 1
    books.contracts.pause(caller.customer.id)
    with pytest.raises(NoPlan):
        record(caller, event("b", time=NOW + timedelta(minutes=2)))


def test_usage_without_a_plan_is_refused(books: SqlBooks) -> None:
    stranger = a_caller(books, None, "No Plan")
    with pytest.raises(NoPlan):
        record(stranger, event("a"))


def test_usage_while_paused_is_refused_and_that_of_before_is_not(caller: Caller, clock: ManualClock) -> None:
    caller.books.contracts.pause(caller.customer.id)
    clock.advance(timedelta(hours=1))
    with pytest.raises(NoPlan):
        record(caller, event("during", time=clock.at))
    assert record(caller, event("before", time=NOW - timedelta(hours=1))).accepted == 1


def test_what_was_recorded_can_be_read_back_page_by_page_beside_the_calls(caller: Caller) -> None:
    caller.call(times=3)
    made = [event(f"e{n}", time=NOW - timedelta(minutes=9 - n), data={"job": "7"}) for n in range(5)]
    record(caller, *reversed(made))
    calls, events, after = [], [], ""
    for _ in range(10):
        page = caller.books.meters.log(caller.customer.id, NOVEMBER, after, limit=2)
        calls += page.calls
        events += page.events
        after = page.next
        if not after:
            break
    assert calls == list(caller.books.outcomes(caller.customer.id))
    assert events == made


@pytest.mark.parametrize(
    "after", ["x", "calls", "calls.1", "events.1.-2", "events.1.2.3", "calls.1.99999999999999999999"]
)
def test_a_position_in_the_log_that_is_none_is_refused(caller: Caller, after: str) -> None:
    with pytest.raises(BadPosition):
        caller.books.meters.log(caller.customer.id, NOVEMBER, after)


def test_a_dimension_that_is_none_is_refused(caller: Caller) -> None:
    with pytest.raises(BadPosition, match="variant"):
        caller.books.meters.table(None, NOVEMBER, ("colour",))


def test_usage_is_told_by_key_and_by_meter(caller: Caller) -> None:
    caller.settle(caller.reserve(2), pixels=3_500_000, compute_ms=Decimal("1.25"))
    record(caller, event("a", quantity=Decimal(9)))
    usage = caller.books.usage(caller.customer.id, NOVEMBER)
    assert usage.by_key == {caller.key.id: 2}
    assert usage.by_meter == {
        "calls": Decimal(2), "items": Decimal(2), "megapixels": Decimal("3.5"), "compute_ms": Decimal("1.25"),
        "tokens": Decimal(9),
    }  # fmt: skip
