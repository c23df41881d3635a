"""The outbox, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from modelmint.commerce.moments import micros
from modelmint.commerce.webhooks.backoff import WAITS
from modelmint.commerce.webhooks.errors import (
    BadEndpoint,
    PrivateAddress,
    TooManyEndpoints,
    UnknownEndpoint,
    UnknownMessage,
)
from modelmint.commerce.webhooks.types import NO_PLACE, Receipt
from modelmint.kit.clock import ManualClock
from modelmint.store.books import SqlBooks
from modelmint.store.history import tell
from modelmint.store.open import open_books
from modelmint.store.outbox import MOST_OF_A_CUSTOMER

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
HOOK = "https://hooks.example.com/in"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


def say(books: SqlBooks, kind: str, customer: str | None = None, count: int = 1) -> None:
    with books._database.write() as connection:
        for number in range(count):
            tell(connection, kind, customer, {"number": number}, micros(books.now()))


def failed(books: SqlBooks, status: int | None = 500) -> list[Receipt]:
    return [Receipt(one.delivery, one.endpoint.id, status, "answered 500") for one in books.outbox.due()]


def test_a_message_goes_to_every_endpoint_that_hears_it_and_to_no_other(books: SqlBooks) -> None:
    everything, _ = books.outbox.add_endpoint("founder", HOOK)
    paid_only, _ = books.outbox.add_endpoint("founder", HOOK, ["invoice.paid"])
    own, _ = books.outbox.add_endpoint("cus_1", HOOK)
    books.outbox.add_endpoint("cus_2", HOOK)
    say(books, "invoice.paid", "cus_1")
    say(books, "plan.changed")
    assert books.outbox.dispatch() == 2
    found = sorted((one.message.kind, one.endpoint.id) for one in books.outbox.due())
    wanted = [("invoice.paid", one.id) for one in (everything, paid_only, own)] + [("plan.changed", everything.id)]
    assert found == sorted(wanted)


def test_dispatching_again_delivers_nothing_twice(books: SqlBooks) -> None:
    books.outbox.add_endpoint("founder", HOOK)
    say(books, "invoice.paid", count=3)
    assert [books.outbox.dispatch() for _ in range(3)] == [3, 0, 0]
    assert len(books.outbox.due()) == 3


def test_many_dispatchers_at_once_make_each_delivery_once(books: SqlBooks, url: str) -> None:
    books.outbox.add_endpoint("founder", HOOK)
    stop = threading.Event()
    others = [open_books(url) for _ in range(3)]

    def go(own: SqlBooks) -> None:
        while not stop.is_set():
            own.outbox.dispatch()

    threads = [threading.Thread(target=go, args=(own,)) for own in others]
    for thread in threads:
        thread.start()
    for _ in range(20):
        say(books, "invoice.paid", count=2)
    while books.outbox.dispatch():
        pass
    stop.set()
    for thread in threads:
        thread.join()
    found = books.outbox.deliveries(limit=1000)
    assert len(found) == len({one.message for one in found}) == 40
    for own in others:
        own.close()


def test_an_endpoint_hears_nothing_from_before_its_time(books: SqlBooks, clock: ManualClock) -> None:
    say(books, "invoice.paid")
    clock.advance(timedelta(seconds=1))
    books.outbox.add_endpoint("founder", HOOK)
    assert books.outbox.dispatch() == 1
    assert books.outbox.due() == []


def test_what_was_taken_is_sent_no_more(books: SqlBooks, clock: ManualClock) -> None:
    books.outbox.add_endpoint("founder", HOOK)
    say(books, "invoice.paid")
    books.outbox.dispatch()
    (parcel,) = books.outbox.due()
    books.outbox.record([Receipt(parcel.delivery, parcel.endpoint.id, 204, "")])
    clock.advance(timedelta(days=30))
    assert books.outbox.due() == []
    (delivery,) = books.outbox.deliveries()
    assert (delivery.state, delivery.attempts, delivery.last_status, delivery.next_at) == ("delivered", 1, 204, None)


def test_what_was_not_taken_comes_back_later_and_later_until_it_is_given_up(
    books: SqlBooks, clock: ManualClock
) -> None:
    endpoint, _ = books.outbox.add_endpoint("founder", HOOK)
    say(books, "invoice.paid")
    books.outbox.dispatch()
    tries = 0
    while receipts := failed(books):
        books.outbox.record(receipts)
        tries += 1
        (delivery,) = books.outbox.deliveries()
        if delivery.next_at is not None:
            wait = delivery.next_at - clock.at
            assert WAITS[tries - 1] <= wait <= WAITS[tries - 1] * 1.2
            assert books.outbox.due() == []
            clock.at = delivery.next_at
    assert tries == len(WAITS) + 1
    assert (delivery.state, delivery.last_status) == ("given_up", 500)
    assert timedelta(days=3) < clock.at - START < timedelta(days=4)
    (still_there,) = books.outbox.endpoints()
    assert (still_there.id, still_there.disabled_at) == (endpoint.id, None)


def test_a_receiver_that_says_gone_is_never_called_again(books: SqlBooks, clock: ManualClock) -> None:
    books.outbox.add_endpoint("founder", HOOK)
    say(books, "invoice.paid", count=2)
    books.outbox.dispatch()
    first, _ = books.outbox.due()
    books.outbox.record([Receipt(first.delivery, first.endpoint.id, 410, "answered 410")])
    assert books.outbox.endpoints()[0].disabled_at == clock.at
    say(books, "invoice.paid")
    books.outbox.dispatch()
    clock.advance(timedelta(days=9))
    assert books.outbox.due() == []
    assert {one.state for one in books.outbox.deliveries()} == {"given_up"}


def test_a_receipt_for_what_is_over_changes_nothing(books: SqlBooks) -> None:
    endpoint, _ = books.outbox.add_endpoint("founder", HOOK)
    say(books, "invoice.paid")
    books.outbox.dispatch()
    (parcel,) = books.outbox.due()
    books.outbox.disable(endpoint.id)
    books.outbox.record([Receipt(parcel.delivery, endpoint.id, 200, ""), Receipt("del_unknown", endpoint.id, 200, "")])
    assert [(one.state, one.attempts) for one in books.outbox.deliveries()] == [("given_up", 0)]


def test_a_backlog_of_one_endpoint_does_not_crowd_out_another(books: SqlBooks) -> None:
    crowded, _ = books.outbox.add_endpoint("founder", HOOK, ["invoice.paid"])
    quiet, _ = books.outbox.add_endpoint("founder", HOOK, ["credit.low"])
    say(books, "invoice.paid", count=30)
    say(books, "credit.low")
    books.outbox.dispatch()
    found = [one.endpoint.id for one in books.outbox.due(per_endpoint=5)]
    assert (found.count(crowded.id), found.count(quiet.id)) == (5, 1)
    assert [one.endpoint.id for one in books.outbox.due([crowded.id])] == [quiet.id]


def test_both_secrets_sign_for_a_day_after_a_rotation(books: SqlBooks, clock: ManualClock) -> None:
    endpoint, old = books.outbox.add_endpoint("founder", HOOK)
    say(books, "invoice.paid")
    books.outbox.dispatch()
    assert books.outbox.due()[0].secrets == (old,)
    _, new = books.outbox.rotate_secret(endpoint.id)
    assert books.outbox.due()[0].secrets == (new, old)
    clock.advance(timedelta(days=1))
    assert books.outbox.due()[0].secrets == (new,)


def test_replaying_sends_the_same_message_under_its_id_again(books: SqlBooks) -> None:
    books.outbox.add_endpoint("founder", HOOK)
    say(books, "invoice.paid")
    books.outbox.dispatch()
    (parcel,) = books.outbox.due()
    books.outbox.record([Receipt(parcel.delivery, parcel.endpoint.id, 200, "")])
    assert books.outbox.replay(parcel.message.id) == 1
    (again,) = books.outbox.due()
    assert again.message == parcel.message and again.delivery != parcel.delivery


def test_replaying_since_a_moment_takes_what_was_told_from_then_on(books: SqlBooks, clock: ManualClock) -> None:
    endpoint, _ = books.outbox.add_endpoint("founder", HOOK)
    for _ in range(3):
        say(books, "invoice.paid")
        clock.advance(timedelta(hours=1))
    books.outbox.dispatch()
    books.outbox.record([Receipt(one.delivery, endpoint.id, 200, "") for one in books.outbox.due()])
    say(books, "invoice.paid")  # not dispatched yet: goes out anyway, once
    assert books.outbox.replay_since(START + timedelta(hours=1)) == 2
    books.outbox.dispatch()
    assert len(books.outbox.due()) == 3


def test_a_customer_neither_sees_nor_touches_anothers_endpoints_or_messages(books: SqlBooks) -> None:
    theirs, _ = books.outbox.add_endpoint("cus_1", HOOK)
    say(books, "invoice.paid", "cus_1")
    books.outbox.dispatch()
    message = books.outbox.due()[0].message.id
    assert books.outbox.endpoints("cus_2") == []
    assert books.outbox.deliveries("cus_2") == []
    for refused in (books.outbox.disable, books.outbox.rotate_secret, books.outbox.test):
        with pytest.raises(UnknownEndpoint):
            refused(theirs.id, "cus_2")
    with pytest.raises(UnknownMessage):
        books.outbox.replay(message, "cus_2")
    assert books.outbox.replay_since(START, "cus_2") == 0
    assert books.outbox.endpoints("cus_1")[0].disabled_at is None


def test_a_customers_endpoint_stands_on_the_internet_unless_the_shop_allows_otherwise(books: SqlBooks) -> None:
    for url in ("https://127.0.0.1/x", "https://localhost/x", "https://[::1]/x", "https://169.254.169.254/latest"):
        with pytest.raises(PrivateAddress):
            books.outbox.add_endpoint("cus_1", url)
    with pytest.raises(BadEndpoint):
        books.outbox.add_endpoint("cus_1", "http://hooks.example.com/")
    assert books.outbox.endpoints() == []
    books.outbox.add_endpoint("founder", "http://127.0.0.1:9000/")
    books.outbox.add_endpoint("cus_1", "http://10.0.0.1/", private=True)


def test_one_customer_cannot_make_us_call_any_number_of_endpoints(books: SqlBooks) -> None:
    made = [books.outbox.add_endpoint("cus_1", HOOK)[0] for _ in range(MOST_OF_A_CUSTOMER)]
    with pytest.raises(TooManyEndpoints):
        books.outbox.add_endpoint("cus_1", HOOK)
    books.outbox.disable(made[0].id)
    books.outbox.add_endpoint("cus_1", HOOK)


def test_a_test_message_goes_to_the_endpoint_that_is_tried_alone(books: SqlBooks) -> None:
    endpoint, _ = books.outbox.add_endpoint("cus_1", HOOK, ["invoice.paid"])
    books.outbox.add_endpoint("founder", HOOK)
    message = books.outbox.test(endpoint.id, "cus_1")
    books.outbox.dispatch()
    (parcel,) = books.outbox.due()
    assert (parcel.message.id, parcel.message.kind, parcel.endpoint.id) == (message, "webhook.test", endpoint.id)


def test_one_session_of_all_machines_holds_the_duty_lease(url: str, new_url: object) -> None:
    first, second = open_books(url), open_books(url)
    one, other = first.duty_lease(), second.duty_lease()
    assert one.take() and one.take()
    if first._database.kind == "postgresql":
        assert not other.take()
        one.close()
    assert other.take()
    for lease in (one, other):
        lease.close()
    first.close()
    second.close()


def test_a_duty_lease_whose_session_was_cut_off_is_lost_and_taken_again(url: str) -> None:
    books = open_books(url)
    lease = books.duty_lease()
    assert lease.take()
    if lease._connection is not None:
        lease._connection.close()  # as when the server ends the session
    assert lease.take()
    lease.close()
    books.close()


def test_a_customer_reads_nothing_of_what_our_resolver_knows_and_the_founder_reads_all_of_it(books: SqlBooks) -> None:
    books.outbox.add_endpoint("cus_1", HOOK)
    said = {"private": f"{NO_PLACE}; x is 10.1.2.3, which is not on the public internet", "none": f"{NO_PLACE}; x ?"}
    for error in said.values():
        say(books, "invoice.paid", "cus_1")
        books.outbox.dispatch()
        (parcel,) = books.outbox.due()
        books.outbox.record([Receipt(parcel.delivery, parcel.endpoint.id, None, error)])
    assert [one.last_error for one in books.outbox.deliveries("cus_1")] == [NO_PLACE, NO_PLACE]
    assert {one.last_error for one in books.outbox.deliveries()} == set(said.values())
