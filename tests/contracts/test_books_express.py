"""Settlements on leases, written without reading: they leave what the whole path leaves; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from modelmint.commerce.errors import UnknownReservation
from modelmint.commerce.types import Admitted, Outcome, Settlement
from modelmint.kit.clock import ManualClock
from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.leases import recall
from modelmint.store.open import open_books
from modelmint.store.schema import call_rollups, leases, outcomes, subscriptions
from modelmint.testing.books import START, Caller, a_caller, some_plans

NOVEMBER = month_of(START)
#: Columns that name the customer, the call or the process.
NAMES = {"seq", "id", "customer", "key", "subscription", "owner"}

pytestmark = pytest.mark.usefixtures("calm")

TEXTS = [
    "plain", "it's", 'a "quoted" word', "back\\slash", "at the end\\", '\\"', "{braces}", "{}", '{"a","b"}', "a,b", "",
    "NULL", "null", "naïve Ünïcode", "肺炎筛查 阳性", "🩺", "  spaces  ", "two\nlines\tand a tab", "%s ? $1 :name",
    "'; DROP TABLE outcomes; --",
]  # fmt: skip


def on_a_lease(books: SqlBooks, name: str = "Clinic North", **terms: Any) -> Caller:
    """Somebody whose next calls are admitted from memory."""
    books.put_plans([*books.plans(), *some_plans({"busy": {"per_call": "0.01 USD", **terms}})])
    caller = a_caller(books, "busy", name)
    caller.call(times=3)
    with books._database.read() as connection:
        held = select(leases.c.granted).where(leases.c.customer == caller.customer.id)
        assert (connection.scalar(held) or 0) > 0
    return caller


def here(caller: Caller, admitted: Admitted, status: int = 200, code: str = "ok", **more: Any) -> Outcome:
    """Settled on this thread."""
    return caller.books.settle(Settlement(admitted.reservation, status, code, **more), here=True).result(60)


def all_at_once(books: SqlBooks, settlements: list[Settlement]) -> list[Outcome]:
    """Queued while the writer is kept from its work, so that they share a transaction (or two)."""
    with books._writer._transactions._work:
        futures = [books.settle(each) for each in settlements]
    return [future.result(60) for future in futures]


def counted(books: SqlBooks, caller: Caller) -> int:
    """Calls that the customer's subscription has counted, lent ones included."""
    mine = subscriptions.c.customer == caller.customer.id
    with books._database.read() as connection:
        return connection.scalar(select(subscriptions.c.lifetime_calls).where(mine)) or 0


def rows_of(books: SqlBooks, caller: Caller) -> tuple[list[Any], list[Any]]:
    """The customer's rows without what names the customer or the call: outcomes, roll-ups summed over owners."""
    plain = [column for column in outcomes.c if column.name not in NAMES]
    texts = [column for column in call_rollups.c if column.primary_key and column.name not in NAMES]
    sums = [func.sum(column) for column in call_rollups.c if not column.primary_key and column.name != "customer"]
    mine = call_rollups.c.customer == caller.customer.id
    with books._database.read() as connection:
        left = connection.execute(
            select(*plain).where(outcomes.c.customer == caller.customer.id).order_by(outcomes.c.seq)
        )
        added = connection.execute(select(*texts, *sums).where(mine).group_by(*texts))
        numbers = [tuple(int(v) if isinstance(v, Decimal) else v for v in row) for row in added]
        return [tuple(row) for row in left], sorted(numbers)


KINDS: list[dict[str, Any]] = [
    {"status": 200, "code": "ok", "calls": 2, "items": 3, "release": "sha256:1", "variant": "int8", "prediction": "p1"},
    {"status": 200, "code": "ok", "state": "abstained", "pixels": 7, "characters": 8, "tokens": 9, "explanations": 1},
    {"status": 200, "code": "ok", "compute_ms": Decimal("1.2345"), "wall_ms": Decimal("12.001"), "variant": ""},
    {"status": 500, "code": "engine_failed", "compute_ms": Decimal("0.5"), "release": "sha256:1"},
    {"status": 503, "code": "overloaded", "variant": "int8"},
]


def test_a_settlement_written_here_leaves_the_rows_and_sums_of_a_queued_one_and_of_the_whole_path(
    books: SqlBooks, expressed: list[int]
) -> None:
    ends: list[Callable[..., Future[Outcome]]] = [
        lambda settlement: books.settle(settlement, here=True),
        books.settle,
        books.settle,
    ]
    found = []
    for number, settle in enumerate(ends):
        # what has a rate is never lent
        caller = on_a_lease(books, f"Clinic {number}") if number < 2 else on_no_lease(books)
        expressed.clear()
        for kind in [*KINDS, *KINDS[:2]]:
            settle(Settlement(caller.reserve(4).reservation, **kind)).result(60)
        assert expressed == ([] if number == 2 else [1] * 7)
        found.append((*rows_of(books, caller), books.usage(caller.customer.id, NOVEMBER)))
    for rows, sums, usage in found:
        assert (rows, sums) == found[0][:2]
        assert len(rows) == 3 + 7
        assert (usage.calls, usage.items) == (3 + 2 + 4 + 4 + 2 + 4, 3 + 3 + 4 + 4 + 3 + 4)
        assert (usage.refused, usage.by_meter) == ({"engine_failed": 1, "overloaded": 1}, found[0][2].by_meter)


def on_no_lease(books: SqlBooks) -> Caller:
    """Somebody whose plan counts call by call, after three calls."""
    books.put_plans([*books.plans(), *some_plans({"counted": {"per_call": "0.01 USD", "calls_per_minute": 1000}})])
    caller = a_caller(books, "counted", "Clinic Counted")
    caller.call(times=3)
    return caller


def test_texts_come_back_as_they_were_given_alone_and_in_a_batch_of_many(books: SqlBooks, expressed: list[int]) -> None:
    caller = on_a_lease(books)

    def settlement(text: str) -> Settlement:
        turned = text[::-1]
        return Settlement(
            caller.reserve().reservation, 200, text, release=turned, variant=text, prediction=turned, state=text
        )

    expressed.clear()
    alone = [books.settle(settlement(text), here=True).result(60) for text in TEXTS]
    assert expressed == [1] * len(TEXTS)
    expressed.clear()
    many = all_at_once(books, [settlement(TEXTS[n % len(TEXTS)]) for n in range(70)])
    assert sum(expressed) == 70 and max(expressed) >= 35
    stored = {row.id: row for row in books.outcomes()}
    for number, outcome in enumerate([*alone, *many]):
        text = TEXTS[number % len(TEXTS)]
        assert stored[outcome.id] == outcome
        assert (outcome.code, outcome.variant, outcome.state) == (text, text, text)
        assert (outcome.release, outcome.prediction) == (text[::-1], text[::-1])
    for n, text in enumerate(TEXTS):
        times = 1 + 70 // len(TEXTS) + (n < 70 % len(TEXTS)) + (3 if text == "ok" else 0)
        assert books.counts()["reader", 200, text] == times


def test_texts_that_name_a_roll_up_are_told_apart_and_what_is_not_there_counts_as_empty(books: SqlBooks) -> None:
    caller = on_a_lease(books)
    for variant, release in [(None, None), ("", None), (None, ""), ("NULL", "null"), ("a,b", "c"), ("a", "b,c")]:
        outcome = here(caller, caller.reserve(), variant=variant, release=release)
        assert (outcome.variant, outcome.release) == (variant, release)
        assert [row for row in books.outcomes() if row.id == outcome.id] == [outcome]
    batch = [Settlement(caller.reserve().reservation, 200, "ok", variant=v) for v in [None, "", None, "NULL"] * 5]
    assert [row.variant for row in all_at_once(books, batch)] == [None, "", None, "NULL"] * 5
    _, sums = rows_of(books, caller)
    texts = [column.name for column in call_rollups.c if column.primary_key and column.name not in NAMES]
    found = {(row[texts.index("variant")], row[texts.index("release")]): row[len(texts)] for row in sums}
    assert found == {("", ""): 3 + 3 + 15, ("NULL", "null"): 1, ("NULL", ""): 5, ("a,b", "c"): 1, ("a", "b,c"): 1}


def test_a_call_that_failed_on_a_lease_gives_its_calls_back_and_is_not_billed(
    url: str, clock: ManualClock, books: SqlBooks, expressed: list[int]
) -> None:
    caller = on_a_lease(books, max_calls=1000)
    expressed.clear()
    before = caller.reserve()
    for _ in range(50):
        assert not here(caller, caller.reserve(4), 500, "engine_failed").billable
    assert here(caller, caller.reserve(5), calls=2).calls == 2
    here(caller, before)
    assert expressed == [1] * 52
    books.close()
    again = open_books(url, clock)
    assert counted(again, caller) == 3 + 2 + 1
    assert again.usage(caller.customer.id, NOVEMBER).refused == {"engine_failed": 50}
    assert replace(caller, books=again).reserve().remaining == 1000 - 6 - 1
    assert len(again.close_period(caller.customer.id, NOVEMBER, "", until_now=True)) == 1
    assert sum(line.quantity for line in again.invoices()[0].lines) == 6
    again.close()


def test_a_batch_over_several_customers_and_leases_counts_for_each_what_is_theirs(
    url: str, clock: ManualClock, books: SqlBooks, expressed: list[int]
) -> None:
    callers = [on_a_lease(books, f"Clinic {n}", max_calls=100_000) for n in range(5)]
    expressed.clear()
    wanted = []
    for n in range(70):
        admitted = callers[n % 5].reserve(1 + n % 5)
        wanted.append(Settlement(admitted.reservation, 500 if n % 7 == 0 else 200, "ok" if n % 7 else "engine_failed"))
    outcomes = all_at_once(books, wanted)
    assert sum(expressed) == 70 and max(expressed) >= 35
    assert [row.customer for row in outcomes] == [callers[n % 5].customer.id for n in range(70)]
    books.close()
    again = open_books(url, clock)
    for n, caller in enumerate(callers):
        served = 3 + sum(1 + k % 5 for k in range(70) if k % 5 == n and k % 7)
        assert counted(again, caller) == again.usage(caller.customer.id, NOVEMBER).calls == served
    assert again.journal.verify(raw=True).findings == ()
    again.close()


def test_a_call_settled_after_a_closing_is_booked_behind_it_and_billed_next(
    url: str, books: SqlBooks, clock: ManualClock, expressed: list[int]
) -> None:
    caller = on_a_lease(books)
    here(caller, caller.reserve(2))
    under_way = [caller.reserve() for _ in range(3)]
    others = open_books(url, clock)
    (closed,) = others.close_period(caller.customer.id, NOVEMBER, "", until_now=True)
    expressed.clear()
    late = [here(caller, under_way[0]), *all_at_once(books, [Settlement(under_way[1].reservation, 200, "ok")])]
    assert expressed == [1]  # the first went the whole path, which saw the closing
    late.append(here(caller, under_way[2]))
    late += [here(caller, caller.reserve(3)) for _ in range(4)]
    end = START + timedelta(microseconds=1)
    assert [row.at for row in late] == [end] * 7
    assert others.close_period(caller.customer.id, NOVEMBER, "", until_now=True) == [closed]
    clock.at = NOVEMBER.end
    first, second = others.close_period(caller.customer.id, NOVEMBER, "")
    assert first == closed
    assert sum(line.quantity for line in closed.lines) == 3 + 2
    assert sum(line.quantity for line in second.lines) == 3 + 4 * 3
    assert others.journal.verify(raw=True).findings == ()
    others.close()


def test_a_lease_recalled_between_admission_and_settlement_is_given_back_and_the_call_ends_once(
    books: SqlBooks, expressed: list[int]
) -> None:
    caller = on_a_lease(books, max_calls=100_000)
    admitted = [caller.reserve() for _ in range(3)]
    with books._database.write() as connection:
        books._database.after_recall = None  # else it would be given back at once
        recall(connection, caller.customer.id)
    expressed.clear()
    first = here(caller, admitted[0])
    assert (expressed, first.billable) == ([], True)
    assert [row for row in books.outcomes() if row.id == first.id] == [first]
    with books._database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(leases)) == 0
    assert counted(books, caller) == 3 + 3
    assert [here(caller, one).billable for one in admitted] == [True] * 3
    assert counted(books, caller) == sum(row.calls for row in books.outcomes()) == 6
    with pytest.raises(UnknownReservation):
        here(caller, replace(admitted[0], reservation="call_never"))
