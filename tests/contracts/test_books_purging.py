"""Old messages are forgotten in small batches, and only those that are over; on both stores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DatabaseError

from modelmint.commerce.moments import micros
from modelmint.commerce.webhooks.errors import MessagePurged, UnknownMessage
from modelmint.commerce.webhooks.types import Receipt
from modelmint.kit.clock import ManualClock
from modelmint.kit.ids import new_id
from modelmint.store import purging
from modelmint.store.books import SqlBooks
from modelmint.store.errors import BooksUnavailable
from modelmint.store.history import tell
from modelmint.store.open import open_books
from modelmint.store.schema import deliveries, messages

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
HOOK, OTHER = "https://hooks.example.com/in", "https://other.example.com/in"
KEPT, KEPT_FAILED = timedelta(days=30), timedelta(days=90)
TICK = timedelta(microseconds=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


def say(books: SqlBooks, count: int = 1, customer: str | None = None) -> list[str]:
    """Ids of new messages, dispatched."""
    with books._database.write() as connection:
        for number in range(count):
            tell(connection, "invoice.paid", customer, {"number": number}, micros(books.now()))
        newest = select(messages.c.id).order_by(messages.c.seq.desc()).limit(count)
        found = list(reversed(connection.scalars(newest).all()))
    books.outbox.dispatch()
    return found


def answer(books: SqlBooks, status: int, endpoint: str | None = None) -> None:
    due = [one for one in books.outbox.due() if endpoint in (None, one.endpoint.id)]
    books.outbox.record([Receipt(one.delivery, one.endpoint.id, status, "") for one in due])


def purge(books: SqlBooks) -> int:
    gone = 0
    while batch := books.outbox.purge(KEPT, KEPT_FAILED):
        gone += batch
    return gone


def kept(books: SqlBooks) -> tuple[int, int]:
    """Messages and deliveries."""
    with books._database.read() as connection:
        counts = [connection.scalar(select(func.count()).select_from(table)) for table in (messages, deliveries)]
    return counts[0] or 0, counts[1] or 0


def test_a_delivered_message_goes_thirty_days_after_its_delivery(books: SqlBooks, clock: ManualClock) -> None:
    books.outbox.add_endpoint("founder", HOOK)
    say(books)
    clock.at = START + timedelta(days=2)
    answer(books, 200)
    clock.at += KEPT
    assert (purge(books), kept(books)) == (0, (1, 1))
    clock.at += TICK
    assert (purge(books), kept(books)) == (2, (0, 0))


def test_what_was_given_up_is_kept_for_ninety_days_and_its_message_with_it(books: SqlBooks, clock: ManualClock) -> None:
    good, _ = books.outbox.add_endpoint("founder", HOOK)
    bad, _ = books.outbox.add_endpoint("founder", OTHER)
    (name,) = say(books)
    answer(books, 200, good.id)
    answer(books, 410, bad.id)
    clock.at = START + KEPT + TICK
    assert (purge(books), kept(books)) == (1, (1, 1))
    assert books.outbox.replay(name) == 1
    answer(books, 200)
    clock.at = START + KEPT_FAILED
    assert purge(books) == 1
    clock.at += TICK
    assert (purge(books), kept(books)) == (2, (0, 0))


def test_what_still_waits_is_kept_however_old_it_is_and_sent_all_the_same(books: SqlBooks, clock: ManualClock) -> None:
    books.outbox.add_endpoint("founder", HOOK)
    say(books)
    clock.at = START + timedelta(days=400)
    assert (purge(books), kept(books)) == (0, (1, 1))
    assert len(books.outbox.due()) == 1


def test_a_message_that_was_not_dispatched_is_kept_and_one_that_nobody_heard_goes(
    books: SqlBooks, clock: ManualClock
) -> None:
    say(books)
    with books._database.write() as connection:
        tell(connection, "invoice.paid", None, {}, micros(books.now()))
    clock.at = START + KEPT + TICK
    assert (purge(books), kept(books)) == (1, (1, 0))
    assert books.outbox.dispatch() == 1


def test_replaying_a_purged_message_says_that_it_was_purged(books: SqlBooks, clock: ManualClock) -> None:
    books.outbox.add_endpoint("founder", HOOK)
    first, second = say(books), say(books)
    answer(books, 200)
    clock.at = START + KEPT + TICK
    purge(books)
    for name in (*first, *second):
        with pytest.raises(MessagePurged, match="is not kept any more") as refused:
            books.outbox.replay(name)
        assert (refused.value.code, refused.value.status) == ("message_purged", 410)
    with pytest.raises(UnknownMessage) as unknown:
        books.outbox.replay(new_id("msg"))
    assert unknown.value.code == "unknown_message"
    assert books.outbox.replay_since(START) == 0
    (third,) = say(books)
    assert books.outbox.replay(third) == 1


def test_a_customer_is_told_the_same_of_anothers_purged_message_as_of_its_own(
    books: SqlBooks, clock: ManualClock
) -> None:
    one, other = books.add_customer("Clinic North", "").id, books.add_customer("Clinic South", "").id
    say(books)
    (mine,) = say(books, customer=one)
    clock.at = START + KEPT + TICK
    purge(books)
    said = []
    for owner in (one, other):
        with pytest.raises(MessagePurged) as refused:
            books.outbox.replay(mine, owner)
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_much_goes_in_batches_and_nothing_is_left_behind(
    books: SqlBooks, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "BATCH", 7)
    books.outbox.add_endpoint("founder", HOOK)
    say(books, 20)
    answer(books, 200)
    clock.at = START + KEPT + TICK
    batches = []
    while batch := books.outbox.purge(KEPT, KEPT_FAILED):
        batches.append(batch)
    assert (sum(batches), max(batches) <= 14, kept(books)) == (40, True, (0, 0))


def test_a_message_is_never_changed_nor_deleted_while_a_delivery_of_it_is_kept(books: SqlBooks) -> None:
    books.outbox.add_endpoint("founder", HOOK)
    say(books)
    for statement in (delete(messages), update(messages).values(body="{}")):
        with pytest.raises((DatabaseError, BooksUnavailable)), books._database.write() as connection:
            connection.execute(statement)
    assert kept(books) == (1, 1)


def test_a_disabled_endpoints_deliveries_go_after_their_time(books: SqlBooks, clock: ManualClock) -> None:
    endpoint, _ = books.outbox.add_endpoint("founder", HOOK)
    say(books)
    books.outbox.disable(endpoint.id)
    clock.at = START + KEPT_FAILED
    assert purge(books) == 0
    clock.at += TICK
    assert (purge(books), kept(books)) == (2, (0, 0))
