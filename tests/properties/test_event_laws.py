"""Laws of usage events, on real books: order, batching and repetition do not matter, and sums are what was sent."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from modelmint.commerce.errors import CreditSpent
from modelmint.commerce.metering.cloudevents import events_from, present
from modelmint.commerce.metering.types import UsageEvent
from modelmint.kit.clock import ManualClock
from modelmint.kit.money import Money
from modelmint.kit.period import month_of
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller, some_plans

START = datetime(2026, 11, 1, tzinfo=UTC)
MILLION = 1_000_000
PLANS: dict[str, dict[str, Any]] = {
    "p": {
        "charges": [
            {"meter": "tokens", "price": "0.01 USD"},
            {"meter": "people", "price": "1 USD", "aggregate": "unique"},
        ]
    }
}

event = st.builds(
    UsageEvent,
    source=st.sampled_from(["/a", "/b"]),
    id=st.integers(0, 30).map(str),
    type=st.just("t"),
    time=st.integers(0, 40 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds)),
    meter=st.sampled_from(["tokens", "people"]),
    quantity=st.integers(0, 10**9).map(lambda n: Decimal(n).scaleb(-6)),
    value=st.none() | st.sampled_from("abc"),
    amount=st.none() | st.integers(0, 500).map(lambda minor: Money(minor, "USD")),
    model=st.sampled_from(["", "reader"]),
    state=st.sampled_from(["ok", "abstained"]),
    data=st.sampled_from([{}, {"note": "x", "deep": {"a": [1, None]}}]),
)
#: Each (source, id) once: what a sender means.
events = st.lists(event, max_size=25, unique_by=lambda one: (one.source, one.id))


@cache
def furnished() -> tuple[bytes, Caller]:
    """Books with a customer since the first of November, made once; every example gets a copy."""
    with tempfile.TemporaryDirectory() as folder:
        books = open_books(f"sqlite:///{folder}/b.sqlite", ManualClock(START))
        books.put_plans(some_plans(PLANS))
        caller = a_caller(books, "p")
        books.close()
        return Path(folder, "b.sqlite").read_bytes(), caller


@contextmanager
def shop(now: datetime) -> Iterator[tuple[Caller, ManualClock, str]]:
    """A copy of the books, and their clock."""
    content, caller = furnished()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "b.sqlite").write_bytes(content)
        clock, url = ManualClock(now), f"sqlite:///{folder}/b.sqlite"
        books = open_books(url, clock)
        yield replace(caller, books=books), clock, url
        books.close()


def record(caller: Caller, batches: Sequence[Sequence[UsageEvent]]) -> None:
    for batch in batches:
        if batch:
            caller.books.meters.record(caller.customer.id, caller.key.id, batch)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = sorted(tuple(row) for row in connection.execute(text(query)))
    engine.dispose()
    return found


ROLLUPS = "SELECT bucket, period, meter, model, variant, state, n, quantity, largest, amount_minor FROM event_rollups"
UNIQUES = "SELECT meter, period, value, bucket FROM uniques"


@settings(max_examples=20, deadline=None)
@given(events, st.randoms(use_true_random=False), st.integers(1, 7))
def test_any_order_any_batching_and_any_repetition_give_the_same_roll_ups(
    sent: list[UsageEvent], chance: random.Random, size: int
) -> None:
    found = []
    now = START + timedelta(days=41)
    shuffled = sent + chance.sample(sent, len(sent) // 2)
    chance.shuffle(shuffled)
    for batches in ([sent], [shuffled[at : at + size] for at in range(0, len(shuffled), size)]):
        with shop(now) as (caller, _, url):
            record(caller, batches)
            found.append((rows(url, ROLLUPS), rows(url, UNIQUES)))
            record(caller, batches)  # replaying everything changes nothing
            assert found[-1] == (rows(url, ROLLUPS), rows(url, UNIQUES))
    assert found[0] == found[1]


@settings(max_examples=20, deadline=None)
@given(events)
def test_roll_ups_are_the_sums_of_what_was_sent_and_unique_counts_are_the_sizes_of_sets(sent: list[UsageEvent]) -> None:
    with shop(START + timedelta(days=41)) as (caller, _, url):
        record(caller, [sent])
        sums: Counter[str] = Counter()
        for meter, quantity in rows(url, "SELECT meter, quantity FROM event_rollups"):
            sums[meter] += quantity
        wanted: Counter[str] = Counter()
        for one in sent:
            wanted[one.meter] += int(one.quantity * MILLION)
        assert +sums == +wanted
        (amounts,) = rows(url, "SELECT coalesce(sum(amount_minor), 0), coalesce(sum(n), 0) FROM event_rollups")
        assert amounts == (sum(one.amount.minor for one in sent if one.amount), len(sent))
        different = {(one.meter, month_of(one.time).start, one.value) for one in sent if one.value is not None}
        assert rows(url, "SELECT count(*) FROM uniques") == [(len(different),)]
        assert caller.books.journal.verify(raw=True).findings == ()


@settings(max_examples=20, deadline=None)
@given(events, st.lists(st.integers(0, 60), min_size=1, max_size=4), st.integers(1, 5))
def test_every_unit_is_billed_once_whenever_it_comes_and_wherever_periods_are_closed(
    sent: list[UsageEvent], closings: list[int], size: int
) -> None:
    sent = sorted((one for one in sent if one.meter == "tokens"), key=lambda one: one.id)
    with shop(START + timedelta(days=41)) as (caller, clock, _):
        batches = [sent[at : at + size] for at in range(0, len(sent), size)]
        for number, batch in enumerate(batches):
            record(caller, [batch])
            if number < len(closings):
                clock.advance(timedelta(hours=closings[number]))
                close_until_now(caller, clock)
        clock.advance(timedelta(days=60))
        close_until_now(caller, clock)
        lines = [line for invoice in caller.books.invoices() for line in invoice.lines if line.meter == "tokens"]
        assert sum(Decimal(line.quantity) for line in lines) == sum(one.quantity for one in sent)
        assert caller.books.journal.verify(raw=True).findings == ()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 300), st.integers(0, 90)), min_size=1, max_size=8))
def test_a_clock_that_is_ahead_is_billed_as_one_that_is_right(sent: list[tuple[int, int, int]]) -> None:
    """Reported (seconds after the last), dated (seconds ahead), how much; about the end of a billing period."""
    charge = {"meter": "tokens", "tiers": [{"up_to": 50, "price": "0.01 USD"}, {"price": "0.03 USD"}], "included": 20}
    found = []
    for skewed in (False, True):
        with shop(START) as (caller, clock, _):
            caller.books.put_plans(some_plans({"own": {"charges": [charge], "minimum": "1 USD", "cap": "3 USD"}}))
            caller.books.contracts.change(caller.customer.id, "own")
            clock.at = START + timedelta(days=30, seconds=-600)
            for number, (later, ahead, quantity) in enumerate(sent):
                clock.advance(timedelta(seconds=later))
                time = clock.at + timedelta(seconds=ahead if skewed else 0)
                record(caller, [[UsageEvent("/a", str(number), "t", time, "tokens", Decimal(quantity))]])
                caller.books.bills.close_due("")
            clock.at = START + timedelta(days=70)
            caller.books.bills.close_due("")
            found.append([(i.number, i.period, i.lines, i.due) for i in caller.books.invoices()])
            assert caller.books.journal.verify(raw=True).findings == ()
    assert found[0] == found[1]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["call", "report", "buy", "close"]), st.integers(1, 9)), max_size=30))
def test_calls_are_admitted_exactly_as_far_as_credit_pays_what_was_called_and_reported(
    script: list[tuple[str, int]],
) -> None:
    with shop(START + timedelta(days=3)) as (caller, clock, _):
        caller.books.put_plans(some_plans({"credit": {"per_call": "1 USD", "prepaid": True}}))
        caller.books.contracts.change(caller.customer.id, "credit")
        left = used = owed = 0
        for number, (verb, many) in enumerate(script * 2):
            clock.advance(timedelta(minutes=7))
            if verb == "buy":
                caller.books.credits.grant(caller.customer.id, Money(many * 100, "USD"))
                left += many
            elif verb == "report":
                record(caller, [[UsageEvent("/a", str(number), "t", clock.at, "calls", Decimal(many))]])
                used += many
            elif verb == "close":
                close_until_now(caller, clock)
                left, used, owed = max(left - used, 0), 0, owed + max(used - left, 0)
            elif used + many <= left:
                caller.call(many)
                used += many
            else:
                with pytest.raises(CreditSpent):
                    caller.reserve(many)
        close_until_now(caller, clock)
        owed += max(used - left, 0)
        assert sum(invoice.due.minor for invoice in caller.books.invoices()) == owed * 100


def close_until_now(caller: Caller, clock: ManualClock) -> None:
    start = START
    while start <= clock.at:
        period = month_of(start)
        caller.books.close_period(caller.customer.id, period, "", until_now=True)
        start = period.end


@given(event)
def test_an_event_shown_as_a_cloudevent_is_read_back_as_itself(sent: UsageEvent) -> None:
    assert events_from([present(sent)], START + timedelta(days=41)) == [sent]
