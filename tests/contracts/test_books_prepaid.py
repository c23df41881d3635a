"""Prepaid credit and everything beside calls that takes of it, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from modelmint.commerce.billing.types import BillingDetails
from modelmint.commerce.errors import CreditSpent
from modelmint.commerce.metering.types import UsageEvent
from modelmint.kit.clock import ManualClock
from modelmint.kit.money import Money, parse_money
from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller, some_plans

START = datetime(2026, 11, 10, 12, tzinfo=UTC)
PLANS: dict[str, dict[str, Any]] = {
    "credit": {"per_call": "1 USD", "prepaid": True},
    "scans": {"charges": [{"meter": "scans", "price": "1 USD"}]},
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


@pytest.fixture
def caller(books: SqlBooks) -> Caller:
    """Who has paid 100 calls in advance."""
    found = a_caller(books, None)
    books.put_plans(some_plans(PLANS))
    books.subscribe(found.customer.id, "credit")
    books.credits.grant(found.customer.id, Money(10_000, "USD"))
    return found


def report(caller: Caller, quantity: int, meter: str = "calls", time: datetime = START) -> None:
    event = UsageEvent("/jobs", f"{meter}{quantity}", "t", time, meter, Decimal(quantity))
    caller.books.meters.record(caller.customer.id, caller.key.id, [event])


def admitted(caller: Caller) -> int:
    """How many calls are, until credit is spent."""
    for served in range(300):
        try:
            caller.call()
        except CreditSpent:
            return served
    raise AssertionError("credit is never spent")


def due(books: SqlBooks, clock: ManualClock) -> list[int]:
    clock.at = month_of(START).end
    return [invoice.due.minor for invoice in books.bills.close_due("").invoices]


@pytest.mark.parametrize("earlier", [0, 40])
def test_calls_that_events_report_are_not_paid_twice(
    books: SqlBooks, clock: ManualClock, caller: Caller, earlier: int
) -> None:
    caller.call(times=earlier)  # with more than a few of them, calls are admitted from quota that was lent
    report(caller, 50)
    assert admitted(caller) == 50 - earlier
    assert due(books, clock) == [0]


def test_calls_that_are_reported_beyond_the_credit_are_owed_and_no_call_is_admitted(
    books: SqlBooks, clock: ManualClock, caller: Caller
) -> None:
    report(caller, 103)
    assert admitted(caller) == 0
    assert due(books, clock) == [300]


def test_events_that_the_plan_does_not_charge_take_nothing_of_the_credit(caller: Caller) -> None:
    report(caller, 99, "scans")
    assert admitted(caller) == 100


def test_events_of_a_plan_held_before_take_of_the_credit_too(
    books: SqlBooks, clock: ManualClock, caller: Caller
) -> None:
    books.contracts.change(caller.customer.id, "scans")
    clock.advance(timedelta(hours=1))
    books.contracts.change(caller.customer.id, "credit")
    caller.call()
    report(caller, 30, "scans")
    assert admitted(caller) == 69
    assert sum(due(books, clock)) == 0


def test_a_tax_that_is_set_later_is_paid_from_the_credit_too(
    books: SqlBooks, clock: ManualClock, caller: Caller
) -> None:
    caller.call(times=10)
    books.bills.set_details(caller.customer.id, BillingDetails(tax_rate=Decimal("0.25"), tax_name="VAT"))
    assert admitted(caller) == 70
    assert due(books, clock) == [0]


def test_what_is_owed_is_paid_by_the_next_credit_before_any_call(caller: Caller) -> None:
    report(caller, 103)
    caller.books.credits.grant(caller.customer.id, parse_money("5 USD"))
    assert admitted(caller) == 2
