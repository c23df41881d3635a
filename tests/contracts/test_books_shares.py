"""What a fee includes is for the time held, on both stores: taken late, resumed late, given up after an invoice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.documents.plan_json import to_json
from modelmint.commerce.ledger.replay import replay
from modelmint.commerce.metering.types import UsageEvent
from modelmint.kit.clock import ManualClock
from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller, some_plans

START = datetime(2026, 11, 1, tzinfo=UTC)
NOVEMBER = month_of(START)
DECEMBER = month_of(NOVEMBER.end)
LAST_DAY = NOVEMBER.end - timedelta(days=1)
MIDDLE = START + timedelta(days=15)
TABLES = {
    "basic": {"monthly": "30 USD", "included_calls": 60, "overage": "0.10 USD"},
    "whole": {"monthly": "30 USD", "included_calls": 60, "overage": "0.10 USD", "prorate_included": False},
    "big": {"monthly": "60 USD"},
    "pages": {"monthly": "30 USD", "charges": [{"meter": "pages", "price": "0.10 USD", "included": 60}]},
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


def caller(books: SqlBooks, plan: str | None) -> Caller:
    found = a_caller(books, None)
    books.put_plans([*books.plans(), *some_plans(TABLES)])
    if plan is not None:
        books.subscribe(found.customer.id, plan)
    return found


def closed(books: SqlBooks, clock: ManualClock, who: Caller) -> list[list[int]]:
    """Amounts of the month's lines, invoice by invoice; all of them can be proved."""
    clock.at = NOVEMBER.end
    found = books.close_period(who.customer.id, NOVEMBER, "")
    assert books.journal.verify(raw=True).findings == ()
    for invoice in found:
        cut = books.journal.segment(invoice.id)
        plan = books.plan(invoice.plan, invoice.plan_version)
        assert replay(cut, to_json(plan), invoice.releases).same
    return [minors(one) for one in found]


def minors(invoice: Invoice) -> list[int]:
    return [line.amount.minor for line in invoice.lines]


def test_a_plan_taken_on_the_last_day_includes_a_days_share(books: SqlBooks, clock: ManualClock) -> None:
    who = caller(books, None)
    clock.at = LAST_DAY
    books.subscribe(who.customer.id, "basic")
    who.call(60)
    # 30.00 / 30 = 1.00; 60 / 30 = 2 included, 58 x 0.10 = 5.80
    assert closed(books, clock, who) == [[100, 0, 580]]


def test_a_plan_that_leaves_its_units_whole_includes_all_of_them_on_the_last_day(
    books: SqlBooks, clock: ManualClock
) -> None:
    who = caller(books, None)
    clock.at = LAST_DAY
    books.subscribe(who.customer.id, "whole")
    who.call(60)
    assert closed(books, clock, who) == [[100, 0]]


def test_a_plan_resumed_on_the_last_day_includes_a_days_share(books: SqlBooks, clock: ManualClock) -> None:
    who = caller(books, "basic")
    books.contracts.pause(who.customer.id)
    clock.at = LAST_DAY
    books.contracts.resume(who.customer.id)
    who.call(60)
    assert closed(books, clock, who) == [[100, 0, 580]]


def test_an_upgrade_and_back_in_the_same_moment_costs_nothing_and_takes_nothing_away(
    books: SqlBooks, clock: ManualClock
) -> None:
    who = caller(books, "basic")
    who.call(60)
    clock.at = MIDDLE
    books.contracts.change(who.customer.id, "big")
    books.contracts.change(who.customer.id, "basic")
    assert closed(books, clock, who) == [[3000, 0]]


def test_what_an_invoice_in_the_middle_took_for_granted_counts_anew_when_the_plan_is_given_up(
    books: SqlBooks, clock: ManualClock
) -> None:
    who = caller(books, "basic")
    who.call(60)
    clock.at = MIDDLE
    (first,) = books.close_period(who.customer.id, NOVEMBER, "", until_now=True)
    # 30.00 x 15 / 30; held to the end as far as is known: all 60 are included
    assert minors(first) == [1500, 0]
    ended = books.contracts.cancel(who.customer.id)
    # an end in the very moment in which the closing ended would have had to be on its invoice
    assert ended.ends_at == MIDDLE + timedelta(microseconds=2)
    rest = closed(books, clock, who)
    # 60 x 15 / 30 and a moment: 30.0000000002 -> 31 included; 29 x 0.10 = 2.90
    assert rest == [[1500, 0], [290]]


def test_late_usage_of_a_shared_period_is_rated_as_if_it_had_come_in_time(books: SqlBooks, clock: ManualClock) -> None:
    who = caller(books, None)
    clock.at = LAST_DAY
    books.subscribe(who.customer.id, "pages")
    pages = UsageEvent("/jobs", "1", "dev.modelmint.usage", LAST_DAY, "pages", Decimal(1))
    books.meters.record(who.customer.id, who.key.id, [pages])
    assert closed(books, clock, who) == [[100, 0]]
    late = replace(pages, id="2", quantity=Decimal(5))
    books.meters.record(who.customer.id, who.key.id, [late])
    clock.at = DECEMBER.end
    (invoice,) = books.close_period(who.customer.id, DECEMBER, "")
    # of 60 / 30 = 2 pages included one was left; 4 x 0.10
    assert minors(invoice) == [3000, 0, 40]
