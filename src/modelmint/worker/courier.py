"""Sends what waits in the outbox: many endpoints at once, one message after the other to each.

An endpoint that failed or dawdled last time is sent to in a lane of its own, so that slow and dead receivers hold up
each other and nobody else. What was sent and not recorded yet (the process was killed) is sent again: at least once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from modelmint.bootstrap import Shop
from modelmint.commerce.webhooks.types import Parcel, Receipt
from modelmint.worker.send import Sender

_log = logging.getLogger("modelmint.worker")
#: Endpoints of a lane that are sent to at once.
LANE = 16
#: Seconds after which a round ends, so that the others in its lane get their turn.
ROUND_SECONDS = 5.0
#: Seconds for one message above which an endpoint counts as slow.
SLOW_SECONDS = 1.0
#: An endpoint that failed is left alone for a second, then two, four, ... at most this long, whatever waits for it.
LONGEST_REST = 60.0


@dataclass
class _Round:
    """Sending what is due to one endpoint."""

    poor: bool
    receipts: list[Receipt] = field(default_factory=list)
    seconds: float = 0.0
    over: bool = False


class Courier:
    """One per process; ``turn`` never waits for a receiver."""

    def __init__(self, sender: Sender | None = None) -> None:
        self._sender = sender
        self._rounds: dict[str, _Round] = {}
        self._slow: set[str] = set()
        #: Endpoint -> failures in a row, and the moment before which it is left alone.
        self._resting: dict[str, tuple[int, float]] = {}
        self._closed = threading.Event()

    def turn(self, shop: Shop) -> int:
        """Record what was sent, make deliveries of what is new, start sending what is due; how many were recorded."""
        recorded = self._record(shop)
        shop.books.outbox.dispatch()
        now = time.monotonic()
        away = [endpoint for endpoint, (_, until) in self._resting.items() if until > now]
        sender = self._sender or Sender(private=shop.private_webhooks)
        by_endpoint: dict[str, list[Parcel]] = {}
        for parcel in shop.books.outbox.due([*self._rounds, *away]):
            by_endpoint.setdefault(parcel.endpoint.id, []).append(parcel)
        for endpoint, parcels in by_endpoint.items():
            self._start(endpoint, parcels, sender)
        return recorded

    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._rounds

    def close(self) -> None:
        """Wait for nobody: what is under way is not recorded, hence sent again."""
        self._closed.set()

    def _record(self, shop: Shop) -> int:
        over = {endpoint: one for endpoint, one in self._rounds.items() if one.over}
        receipts = [receipt for one in over.values() for receipt in one.receipts]
        shop.books.outbox.record(receipts)
        for endpoint, one in over.items():  # only now: what is not recorded would be due again
            del self._rounds[endpoint]
            self._judge(endpoint, one)
        return len(receipts)

    def _judge(self, endpoint: str, one: _Round) -> None:
        if one.receipts and not one.receipts[-1].taken:
            failures = self._resting.get(endpoint, (0, 0.0))[0] + 1
            rest = min(LONGEST_REST, 2.0 ** min(failures - 1, 10))
            self._resting[endpoint] = failures, time.monotonic() + rest
        elif one.receipts:
            self._resting.pop(endpoint, None)
            slow = one.seconds > SLOW_SECONDS * len(one.receipts)
            (self._slow.add if slow else self._slow.discard)(endpoint)

    def _start(self, endpoint: str, parcels: Sequence[Parcel], sender: Sender) -> None:
        poor = endpoint in self._resting or endpoint in self._slow
        if sum(one.poor == poor for one in self._rounds.values()) >= LANE:
            return  # it is due again at the next turn
        one = self._rounds[endpoint] = _Round(poor)
        threading.Thread(
            target=self._send, args=(one, parcels, sender), name=f"courier-{endpoint}", daemon=True
        ).start()

    def _send(self, one: _Round, parcels: Sequence[Parcel], sender: Sender) -> None:
        begun = time.monotonic()
        for parcel in parcels:
            if self._closed.is_set() or time.monotonic() - begun > ROUND_SECONDS:
                break
            try:
                one.receipts.append(sender.send(parcel))
            except Exception:  # a bug of ours counts as a failure, else it would be met again at once and for ever
                _log.exception("sending to %s failed", parcel.endpoint.id)
                one.receipts.append(Receipt(parcel.delivery, parcel.endpoint.id, None, "failed inside the server"))
            if not one.receipts[-1].taken:
                break
        one.seconds = time.monotonic() - begun
        one.over = True
