"""The courier: every message arrives, whatever the other receivers do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from modelmint.bootstrap import Shop, open_shop
from modelmint.commerce.moments import micros
from modelmint.commerce.webhooks.types import Parcel, Receipt
from modelmint.store.books import SqlBooks
from modelmint.store.history import tell
from modelmint.testing.shops import furnish
from modelmint.testing.waiting import eventually
from modelmint.worker.courier import LANE, Courier
from modelmint.worker.schedule import start
from modelmint.worker.send import Sender

from .receiver import OK, Receiver, status


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    furnish(tmp_path)
    with open_shop(tmp_path) as opened:
        yield opened


def say(shop: Shop, count: int = 1) -> None:
    assert isinstance(shop.books, SqlBooks)
    with shop.books._database.write() as connection:
        for number in range(count):
            tell(connection, "invoice.paid", None, {"number": number}, micros(shop.books.now()))


def work(courier: Courier, shop: Shop, done: Callable[[], bool]) -> None:
    """Turn after turn, until it is done."""

    def turned() -> bool:
        courier.turn(shop)
        return done()

    eventually(lambda: done() or turned(), 120)


def states(shop: Shop) -> list[str]:
    return [one.state for one in shop.books.outbox.deliveries(limit=1000)]


def settled(shop: Shop, count: int) -> Callable[[], bool]:
    return lambda: states(shop).count("delivered") == count


def test_messages_arrive_in_bulk_each_once_where_nothing_goes_wrong(shop: Shop) -> None:
    courier = Courier()
    with Receiver() as receiver:
        shop.books.outbox.add_endpoint("founder", receiver.url)
        say(shop, 120)
        work(courier, shop, settled(shop, 120))
        assert len(receiver.requests) == len({headers["webhook-id"] for headers, *_ in receiver.requests}) == 120


@dataclass(frozen=True)
class LessAndMorePatient(Sender):
    """Gives an address up soon the first time, and never again: who sends to it then waits until the test ends."""

    given_up: set[str] = field(default_factory=set)

    def send(self, parcel: Parcel) -> Receipt:
        receipt = Sender(seconds=1000.0 if parcel.endpoint.id in self.given_up else 3.0).send(parcel)
        if not receipt.taken:
            self.given_up.add(parcel.endpoint.id)
        return receipt


def test_slow_and_dead_receivers_hold_up_none_of_sixty_four(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelmint.worker.courier.SLOW_SECONDS", 60)  # whom a busy machine slows down counts as good
    courier, over = Courier(LessAndMorePatient()), threading.Event()

    def hang(connection: socket.socket) -> None:
        over.wait()

    with ExitStack() as stack:
        good = [stack.enter_context(Receiver()) for _ in range(40)]
        bad = [stack.enter_context(Receiver(hang)) for _ in range(24)]
        stack.callback(over.set)
        for receiver in (*bad, *good):
            shop.books.outbox.add_endpoint("founder", receiver.url)
        say(shop, 2)
        # Each bad one may hold up others once, until it is given up; from then on nobody, though it hangs for ever.
        work(courier, shop, lambda: all(len(receiver.requests) == 2 for receiver in good))
        work(courier, shop, settled(shop, 80))
        say(shop)
        work(courier, shop, lambda: sum(len(receiver.requests) == 2 for receiver in bad) >= LANE)
        work(courier, shop, settled(shop, 120))
        assert "given_up" not in states(shop)


def test_a_receiver_that_fails_and_recovers_gets_everything(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    monkeypatch.setattr("modelmint.commerce.webhooks.backoff.WAITS", (timedelta(milliseconds=20),) * 50)
    monkeypatch.setattr("modelmint.worker.courier.LONGEST_REST", 0.02)
    courier = Courier()
    with Receiver(status(500)) as receiver:
        shop.books.outbox.add_endpoint("founder", receiver.url)
        say(shop, 5)
        work(courier, shop, lambda: len(receiver.requests) >= 6)
        receiver.answer = OK
        work(courier, shop, settled(shop, 5))
    attempts = [one.attempts for one in shop.books.outbox.deliveries()]
    assert sum(attempts) == len(receiver.requests)


def test_what_was_sent_and_not_recorded_is_sent_again_under_the_same_id(shop: Shop) -> None:
    killed, successor = Courier(), Courier()
    with Receiver() as receiver:
        shop.books.outbox.add_endpoint("founder", receiver.url)
        say(shop)
        killed.turn(shop)
        eventually(lambda: receiver.requests)
        killed.close()  # dies before it can record
        work(successor, shop, settled(shop, 1))
        first, second = (headers["webhook-id"] for headers, *_ in receiver.requests)
        assert first == second


def test_the_schedule_of_a_server_delivers(shop: Shop) -> None:
    with Receiver() as receiver:
        shop.books.outbox.add_endpoint("founder", receiver.url)
        say(shop)
        stop = start(shop)
        eventually(lambda: states(shop) == ["delivered"])
        stop()
        assert len(receiver.requests) == 1
