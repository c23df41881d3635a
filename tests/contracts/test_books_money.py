"""Plans, periods, invoices and the ledger, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.errors import EarlierPeriodOpen, PeriodNotOver, TrialSpent, UnknownInvoice, UnknownPlan
from modelmint.commerce.ledger.postings import balances, check_balanced
from modelmint.kit.clock import ManualClock
from modelmint.kit.money import Money
from modelmint.kit.period import Period, month_of
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import PLANS, a_caller, some_plans

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
NOVEMBER, DECEMBER = month_of(START), month_of(datetime(2026, 12, 1, tzinfo=UTC))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


def amounts(invoices: list[Invoice]) -> list[tuple[int, int, list[int]]]:
    return [(one.number, one.total.minor, [line.amount.minor for line in one.lines]) for one in invoices]


def test_a_month_of_pay_per_use_is_billed_to_the_cent(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    caller.call(3, times=4)
    caller.settle(caller.reserve(), 500, "engine_failed")
    clock.at = NOVEMBER.end
    (invoice,) = books.close_period(caller.customer.id, NOVEMBER, "not for clinical use")
    assert invoice.total == Money(24, "USD")
    (line,) = invoice.lines
    assert (line.quantity, line.meter, line.kind) == (12, "calls", "per_unit")
    assert line.explanation == "calls of 2026-11: 12 x 0.02 USD = 0.24 USD"
    assert (invoice.number, invoice.period, invoice.customer_name) == (1, NOVEMBER, "Clinic North")
    assert (invoice.notice, invoice.finalised_at, invoice.plan) == ("not for clinical use", clock.at, "payg")
    assert books.invoice(invoice.id) == books.invoice("1") == invoice
    with pytest.raises(UnknownInvoice):
        books.invoice("2")


def test_a_month_with_included_calls_charges_the_fee_once_and_the_overage(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books, "clinic")
    caller.call(13)
    clock.at = NOVEMBER.end
    # held 20.5 of 30 days: 49.00 x 20.5 / 30 = 33.48 (33.4833); 10 x 20.5 / 30 = 6.83 -> 7 included; 6 x 0.015 = 0.09
    assert amounts(books.close_period(caller.customer.id, NOVEMBER, "")) == [(1, 3357, [3348, 0, 9])]
    clock.at = DECEMBER.end
    assert amounts(books.close_period(caller.customer.id, DECEMBER, "")) == [(2, 4900, [4900])]


def test_a_period_is_closed_when_it_is_over_or_when_asked_until_now(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    caller.call(2)
    with pytest.raises(PeriodNotOver):
        books.close_period(caller.customer.id, NOVEMBER, "")
    assert books.draft_period(caller.customer.id, NOVEMBER, "")[0].total == Money(4, "USD")
    assert books.invoices() == []
    assert amounts(books.close_period(caller.customer.id, NOVEMBER, "", until_now=True)) == [(1, 4, [4])]
    assert amounts(books.close_period(caller.customer.id, NOVEMBER, "", until_now=True)) == [(1, 4, [4])]
    assert books.draft_period(caller.customer.id, NOVEMBER, "") == []


def test_cutting_a_month_bills_every_call_once_and_goes_on_in_the_tiers(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books, "clinic")
    for _ in range(4):
        caller.call(6)
        books.close_period(caller.customer.id, NOVEMBER, "", until_now=True)
        clock.advance(timedelta(days=2))
    clock.at = NOVEMBER.end
    found = books.close_period(caller.customer.id, NOVEMBER, "")
    # 24 calls: 10 x 20.5 / 30 = 6.83 -> 7 included, 17 x 0.015 = 0.255 -> 0.26; cut after 6, 12, 18 and 24, that is
    # after 0, 5, 11 and 17 paid ones: 0.00, 0.075 -> 0.08, 0.165 -> 0.17, 0.26.
    # The fee by microseconds held: nothing, then two days each (3.2667, its running total rounded), 14.5 at the end.
    fees = [327, 326, 327, 2368]
    assert amounts(found) == [
        (1, 0, [0]),
        (2, 335, [327, 0, 8]),
        (3, 335, [326, 9]),
        (4, 336, [327, 9]),
        (5, 2368, [2368]),
    ]
    # 49.00 x 20.5 / 30 = 33.48
    assert sum(fees) == 3348
    assert sum(one.total.minor for one in found) == 3348 + 26
    assert sum(line.quantity for one in found for line in one.lines if line.meter) == 24


def test_closing_twice_and_from_many_threads_makes_one_invoice(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    caller.call(5)
    clock.at = NOVEMBER.end
    found: list[list[Invoice]] = []
    closers = [
        threading.Thread(target=lambda: found.append(books.close_period(caller.customer.id, NOVEMBER, "")))
        for _ in range(8)
    ]
    for closer in closers:
        closer.start()
    for closer in closers:
        closer.join()
    assert len(found) == 8
    assert all(one == found[0] for one in found)
    assert len(books.invoices()) == 1
    assert len(books.ledger()) == 2


def test_numbers_have_no_gap_over_customers_and_empty_periods(books: SqlBooks, clock: ManualClock) -> None:
    callers = [a_caller(books, name=name) for name in ("A", "B", "C", "D")]
    for caller in callers[::2]:
        caller.call()
    clock.at = NOVEMBER.end
    numbers = [one.number for c in callers for one in books.close_period(c.customer.id, NOVEMBER, "")]
    assert numbers == [1, 2]
    callers[1].call()
    clock.at = DECEMBER.end
    assert [one.number for one in books.close_period(callers[1].customer.id, DECEMBER, "")] == [3]


def test_a_call_after_its_period_was_closed_falls_into_the_next(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    caller.call(2)
    slow = caller.reserve(1)
    clock.at = NOVEMBER.end
    books.close_period(caller.customer.id, NOVEMBER, "")
    clock.at = NOVEMBER.end - timedelta(hours=1)  # the clock jumps back into the closed month
    assert caller.settle(slow).at == NOVEMBER.end
    clock.at = DECEMBER.end
    (invoice,) = books.close_period(caller.customer.id, DECEMBER, "")
    assert invoice.total == Money(2, "USD")
    assert "counted after 2026-11 was closed" in invoice.lines[0].explanation
    assert "2 are billed already" in invoice.lines[0].explanation


def test_periods_are_closed_in_order(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    caller.call()
    clock.at = DECEMBER.end
    with pytest.raises(EarlierPeriodOpen, match="2026-11"):
        books.close_period(caller.customer.id, DECEMBER, "")
    books.close_period(caller.customer.id, NOVEMBER, "")
    assert books.close_period(caller.customer.id, DECEMBER, "") == []


def test_a_longer_period_is_one_invoice_a_month(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books, "clinic")
    caller.call(11)
    clock.at = DECEMBER.start + timedelta(days=3)
    caller.call(11)
    clock.at = DECEMBER.end
    found = books.close_period(caller.customer.id, Period(NOVEMBER.start, DECEMBER.end), "")
    assert [one.period for one in found] == [NOVEMBER, DECEMBER]
    # November from the 10th at noon: 49.00 x 20.5 / 30 = 33.48, 7 of 10 included, 4 x 0.015 = 0.06; December in full:
    # 10 included, 1 x 0.015 -> 0.02
    assert amounts(found) == [(1, 3354, [3348, 0, 6]), (2, 4902, [4900, 0, 2])]


def test_a_change_of_plan_bills_each_version_for_what_was_used_under_it(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    caller.call(10)
    clock.advance(timedelta(days=1))
    books.put_plans(some_plans({"payg": {"per_call": "0.05 USD"}}))
    caller.call(10)  # the subscription still holds the old price
    books.subscribe(caller.customer.id, "payg")
    caller.call(10)
    clock.at = NOVEMBER.end
    found = books.close_period(caller.customer.id, NOVEMBER, "")
    assert [(one.total.minor, one.lines[0].quantity) for one in found] == [(40, 20), (50, 10)]
    assert found[0].plan_version != found[1].plan_version


def test_an_upgrade_and_back_in_the_same_moment_costs_nothing(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    books.subscribe(caller.customer.id, "clinic")
    books.subscribe(caller.customer.id, "payg")
    clock.at = NOVEMBER.end
    assert books.close_period(caller.customer.id, NOVEMBER, "") == []


def test_a_trial_makes_no_invoice(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books, "trial")
    caller.call(5)
    clock.at = NOVEMBER.end
    assert books.close_period(caller.customer.id, NOVEMBER, "") == []


def test_former_terms_are_sold_again_under_their_old_version(books: SqlBooks) -> None:
    old, new = some_plans({"p": {"per_call": "1 USD"}}), some_plans({"p": {"per_call": "2 USD"}})
    for offered in (old, new, new, old):
        books.put_plans(offered)
        assert books.plans() == offered
        assert books.plan("p") == offered[0]
    assert books.plan("p", new[0].version) == new[0]
    for unknown in (("q", None), ("p", "0")):
        with pytest.raises(UnknownPlan):
            books.plan(*unknown)


def test_a_plan_that_is_left_out_is_withdrawn_and_its_holders_keep_it(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books, "payg")
    everything = some_plans()
    held = books.plan("payg")
    books.put_plans([plan for plan in everything if plan.name != "payg"])
    assert [plan.name for plan in books.plans()] == ["trial", "clinic", "strict"]
    with pytest.raises(UnknownPlan, match=r"'payg' is not on sale any more.*on sale: trial, clinic, strict"):
        books.plan("payg")
    with pytest.raises(UnknownPlan):
        books.subscribe(caller.customer.id, "payg")
    assert books.plan("payg", held.version) == held
    caller.call(10)
    clock.at = NOVEMBER.end
    assert amounts(books.close_period(caller.customer.id, NOVEMBER, "")) == [(1, 20, [20])]
    books.put_plans(everything)
    assert books.plans() == everything
    assert books.plan("payg") == held
    books.put_plans([])
    assert books.plans() == []


def test_a_withdrawn_plan_is_not_offered_to_who_must_buy_one(books: SqlBooks) -> None:
    caller = a_caller(books, "trial")
    books.put_plans(some_plans({"trial": PLANS["trial"], "clinic": PLANS["clinic"]}))
    caller.call(5)
    with pytest.raises(TrialSpent) as refusal:
        caller.reserve()
    assert refusal.value.details["plans"] == ["clinic"]


@pytest.mark.parametrize("until_now", [False, True])
def test_a_period_that_has_not_begun_cannot_be_closed_and_nothing_else_is_advised(
    books: SqlBooks, until_now: bool
) -> None:
    caller = a_caller(books)
    caller.call(3)
    with pytest.raises(PeriodNotOver, match=r"begins at 2026-12-01T00:00:00Z.*nothing can be closed before"):
        books.close_period(caller.customer.id, DECEMBER, "", until_now=until_now)
    assert books.invoices() == []


def test_holding_a_plan_already_changes_nothing(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    clock.advance(timedelta(days=1))
    assert books.subscribe(caller.customer.id, "payg").starts_at == START
    books.subscribe(caller.customer.id, "clinic")
    first, second = books.subscriptions(caller.customer.id)
    assert (first.ends_at, second.ends_at) == (clock.at, None)
    assert second.starts_at == clock.at


def test_every_ledger_transaction_sums_to_zero_and_the_customer_owes_the_invoices(
    books: SqlBooks, clock: ManualClock
) -> None:
    callers = [a_caller(books, plan, name=plan) for plan in ("payg", "clinic")]
    for caller in callers:
        caller.call(17)
    clock.at = NOVEMBER.end
    for caller in callers:
        books.close_period(caller.customer.id, NOVEMBER, "")
    entries = books.ledger()
    check_balanced(entries)
    found = balances(entries)
    for caller in callers:
        owed = sum(one.total.minor for one in books.invoices(caller.customer.id))
        assert found[f"receivable:{caller.customer.id}", "USD"].minor == owed > 0
    assert found["revenue:clinic:flat_monthly", "USD"].minor == -3348
