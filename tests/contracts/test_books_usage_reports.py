"""Usage told to Stripe, against the double over HTTP: each day of each customer counts once, whatever dies."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from modelmint.commerce.metering.types import UsageEvent
from modelmint.commerce.payments.stripe_adapter import StripeProvider
from modelmint.kit.clock import ManualClock
from modelmint.operations.report_usage import plan_reports, send_reports
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.store.schema import messages
from modelmint.testing.books import Caller, a_caller

from ..commerce.stripe_double import KEY, Double

pytest.importorskip("stripe")
START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
PROCESS = Path(__file__).parents[1] / "commerce" / "reporting_process.py"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CALLS = ["calls"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


@pytest.fixture
def double(clock: ManualClock) -> Iterator[Double]:
    with Double(now=clock.now) as found:
        yield found


@pytest.fixture
def stripe(double: Double) -> StripeProvider:
    return StripeProvider(KEY, "whsec_x", double.base)


def enrolled(books: SqlBooks, name: str = "Clinic North", calls: int = 20) -> Caller:
    """A customer whom Stripe knows, with so many calls today."""
    caller = a_caller(books, name=name)
    books.payments.keep_reference("stripe", caller.customer.id, f"cus_{name.rpartition(' ')[2].lower()}")
    caller.call(calls)
    return caller


def report(books: SqlBooks, stripe: StripeProvider, meters: list[str] | None = None) -> int:
    plan_reports(books, stripe, meters or CALLS)
    return send_reports(books, stripe)


def counted(double: Double) -> list[tuple[str, str, int, str]]:
    """(customer, meter, quantity, UTC time) of what counts at Stripe."""
    return [
        (
            one["payload"]["stripe_customer_id"],
            one["event_name"],
            int(one["payload"]["value"]),
            f"{datetime.fromtimestamp(int(one['timestamp']), UTC):%m-%d %H:%M:%S}",
        )
        for one in double.metered
    ]


def states(books: SqlBooks) -> list[str]:
    return [one.state for one in reversed(books.payments.reports.all())]


def told(books: SqlBooks) -> int:
    query = select(messages.c.id).where(messages.c.kind == "usage.unreported")
    with books._database.read() as connection:
        return len(connection.execute(query).all())


def used(quantity: str, at: datetime, name: str = "e1") -> UsageEvent:
    return UsageEvent("/edge", name, "t", at, "scans", Decimal(quantity))


def test_a_day_is_told_once_when_it_is_over_and_today_is_not(
    books: SqlBooks, clock: ManualClock, double: Double, stripe: StripeProvider
) -> None:
    enrolled(books)
    a_caller(books, name="Clinic Unknown").call(7)  # nobody ever asked Stripe for their money
    assert report(books, stripe) == 0
    clock.at = START.replace(hour=0, minute=14) + DAY
    assert report(books, stripe) == 0  # a call may still be on its way into the books
    clock.advance(timedelta(minutes=2))
    assert report(books, stripe) == 1
    clock.advance(DAY)
    assert report(books, stripe) == 0
    assert counted(double) == [("cus_north", "calls", 20, "11-10 23:59:59")]


def test_each_customer_meter_and_day_is_one_event_and_only_meters_named_are_told(
    books: SqlBooks, clock: ManualClock, double: Double, stripe: StripeProvider
) -> None:
    north, south = enrolled(books), enrolled(books, "Clinic South", 3)
    clock.advance(DAY)
    north.call(2, times=2)
    clock.advance(DAY)
    south.call(9)  # today
    assert report(books, stripe, ["calls", "items"]) == 6
    assert sorted(counted(double)) == sorted(
        (who, meter, quantity, at)
        for who, quantity, at in (
            ("cus_north", 20, "11-10 23:59:59"),
            ("cus_north", 4, "11-11 23:59:59"),
            ("cus_south", 3, "11-10 23:59:59"),
        )
        for meter in ("calls", "items")
    )


@pytest.mark.parametrize("lost", ["before", "after"])
def test_an_answer_that_was_lost_is_asked_for_again_and_counts_once(
    books: SqlBooks, clock: ManualClock, double: Double, stripe: StripeProvider, lost: str
) -> None:
    enrolled(books)
    clock.advance(DAY)
    double.trouble = lambda when, *_: when == lost
    assert report(books, stripe) == 0
    double.trouble = lambda *_: False
    asked = len(double.requests)
    assert report(books, stripe) == 0  # it waits a minute
    assert len(double.requests) == asked
    clock.advance(timedelta(minutes=1))
    assert report(books, stripe) == 1
    assert [quantity for _, _, quantity, _ in counted(double)] == [20]
    assert states(books) == ["sent"]


def test_a_process_killed_between_sending_and_noting_neither_skips_nor_counts_twice(
    books: SqlBooks, url: str, clock: ManualClock, double: Double
) -> None:
    for name in ("North", "South"):
        enrolled(books, f"Clinic {name}")
    clock.advance(DAY)
    killed, reached = threading.Event(), threading.Event()

    def hang(when: str, *_: str) -> bool:
        if when == "after" and not killed.is_set():
            reached.set()
            killed.wait(30)
        return False

    double.trouble = hang
    command = [sys.executable, PROCESS, url, double.base]
    process = subprocess.Popen([*command, clock.at.isoformat()])
    assert reached.wait(60)
    process.kill()
    process.wait()
    killed.set()
    assert states(books) == ["pending", "pending"]
    clock.advance(timedelta(minutes=1))
    assert subprocess.run([*command, clock.at.isoformat()], check=False, timeout=60).returncode == 0
    assert sorted(counted(double)) == [(who, "calls", 20, "11-10 23:59:59") for who in ("cus_north", "cus_south")]
    assert len([one for one in double.requests if "meter_events" in one[1]]) == 3
    assert states(books) == ["sent", "sent"]


def test_what_two_processes_report_at_once_counts_once(
    books: SqlBooks, url: str, clock: ManualClock, double: Double
) -> None:
    for number in range(4):
        enrolled(books, f"Clinic N{number}", 2)
    clock.advance(DAY)
    command = [sys.executable, PROCESS, url, double.base, clock.at.isoformat()]
    running = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    assert sorted(counted(double)) == [(f"cus_n{number}", "calls", 2, "11-10 23:59:59") for number in range(4)]
    assert states(books) == ["sent"] * 4


def test_a_refused_meter_blocks_no_other_is_told_once_and_goes_through_once_it_exists(
    books: SqlBooks, clock: ManualClock, double: Double, stripe: StripeProvider
) -> None:
    for name in ("North", "South"):
        enrolled(books, f"Clinic {name}", 5)
    clock.advance(DAY)
    double.meters = {"items"}
    assert report(books, stripe, ["calls", "items"]) == 2
    assert sorted(states(books)) == ["refused", "refused", "sent", "sent"]
    assert {one.reason for one in books.payments.reports.all() if one.state == "refused"} == {
        "Stripe refused: 400 no_meter event_name"
    }
    assert told(books) == 1
    double.meters = None
    clock.advance(HOUR)
    assert report(books, stripe) == 0  # not every minute
    clock.advance(DAY)
    assert report(books, stripe) == 2
    assert [quantity for _, meter, quantity, _ in counted(double) if meter == "calls"] == [5, 5]


def test_what_comes_late_for_a_day_is_a_further_part_of_it(
    books: SqlBooks, clock: ManualClock, double: Double, stripe: StripeProvider
) -> None:
    caller = enrolled(books)
    books.meters.record(caller.customer.id, "", [used("3", START)])
    clock.advance(DAY)
    assert report(books, stripe, ["scans"]) == 1
    late = used("4", START + timedelta(minutes=5), "e2")
    books.meters.record(caller.customer.id, "", [late])
    books.meters.record(caller.customer.id, "", [late])
    assert report(books, stripe, ["scans"]) == 1
    assert report(books, stripe, ["scans"]) == 0
    assert counted(double) == [("cus_north", "scans", quantity, "11-10 23:59:59") for quantity in (3, 4)]


def test_parts_of_a_unit_go_along_with_a_later_report(
    books: SqlBooks, clock: ManualClock, double: Double, stripe: StripeProvider
) -> None:
    caller = enrolled(books)
    for number, quantity in enumerate(("0.4", "0.4", "1.3")):
        books.meters.record(caller.customer.id, "", [used(quantity, books.now(), f"e{number}")])
        clock.advance(DAY)
        report(books, stripe, ["scans"])
    assert [quantity for _, _, quantity, _ in counted(double)] == [2]
    assert states(books) == ["carried", "carried", "sent"]


def test_while_nobody_answers_few_reports_are_in_doubt_and_all_arrive_afterwards(
    books: SqlBooks, clock: ManualClock, double: Double, stripe: StripeProvider
) -> None:
    for number in range(6):
        enrolled(books, f"Clinic N{number}", 1)
    clock.advance(DAY)
    double.trouble = lambda when, *_: when == "before"
    for _ in range(8):
        assert report(books, stripe) == 0
        clock.advance(timedelta(minutes=1))
    assert sum(one.tries > 0 for one in books.payments.reports.all()) == 3
    double.trouble = lambda *_: False
    clock.advance(2 * HOUR)
    report(books, stripe)
    clock.advance(HOUR)
    report(books, stripe)
    assert sorted(who for who, *_ in counted(double)) == [f"cus_n{number}" for number in range(6)]


def test_what_may_have_counted_is_not_sent_again_once_its_name_is_forgotten(
    books: SqlBooks, clock: ManualClock, double: Double, stripe: StripeProvider
) -> None:
    enrolled(books)
    clock.advance(DAY)
    double.trouble = lambda when, *_: when == "after"
    report(books, stripe)
    double.trouble = lambda *_: False
    clock.advance(DAY)
    assert report(books, stripe) == 0
    assert states(books) == ["unknown"]
    assert (len(double.metered), told(books)) == (1, 1)


def test_a_refusal_after_an_answer_that_was_lost_does_not_make_it_count_twice(
    books: SqlBooks, clock: ManualClock, double: Double, stripe: StripeProvider
) -> None:
    enrolled(books)
    clock.advance(DAY)
    double.trouble = lambda when, *_: when == "after"
    report(books, stripe)
    double.trouble = lambda *_: False
    clock.advance(HOUR)
    report(books, StripeProvider("sk_expired", "whsec_x", double.base))
    assert states(books) == ["refused"]
    clock.advance(HOUR)
    assert report(books, stripe) == 1
    clock.advance(2 * DAY)
    assert report(books, stripe) == 0
    assert (len(double.metered), states(books)) == (1, ["sent"])


def test_what_is_refused_for_five_weeks_is_given_up_and_told_of(
    books: SqlBooks, clock: ManualClock, double: Double, stripe: StripeProvider
) -> None:
    enrolled(books)
    double.meters = set()
    for _ in range(37):
        clock.advance(DAY)
        report(books, stripe)
    assert states(books) == ["expired"]
    assert told(books) == 2
    asked = len(double.requests)
    clock.advance(DAY)
    assert report(books, stripe) == 0
    assert len(double.requests) == asked


def test_days_that_are_out_of_reach_when_reporting_begins_are_left_out(
    books: SqlBooks, clock: ManualClock, double: Double, stripe: StripeProvider
) -> None:
    caller = enrolled(books)
    clock.advance(2 * DAY)
    caller.call(3)
    clock.at = datetime(2026, 12, 16, 12, 0, tzinfo=UTC)
    assert report(books, stripe) == 1
    assert counted(double) == [("cus_north", "calls", 3, "11-12 23:59:59")]


def test_an_erased_customer_is_not_told_of(
    books: SqlBooks, clock: ManualClock, double: Double, stripe: StripeProvider
) -> None:
    caller = enrolled(books)
    clock.advance(DAY)
    plan_reports(books, stripe, CALLS)
    books.people.erase(caller.customer.id, force=True)
    assert report(books, stripe) == 0
    assert double.metered == []
