"""Whose turn it is to record usage events: one batch at a time, and paid calls between them.

A batch is stored as a whole, and on SQLite nobody else writes meanwhile. So each customer has one batch under way and
so many events a second, and after each batch of whomever the house rests for as long as it took.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from modelmint.api.errors import TooManyBatches
from modelmint.api.throttle import BATCHES_WAITING, EVENTS_PER_SECOND, REST, SMALL_BATCH, SMALLEST_EVENT

_HOUSE = ""
_MOST_KEPT = 1000


class _Queue:
    """Whoever waits for one thing, and when it is free again."""

    def __init__(self) -> None:
        self.lock, self.waiting, self.free_at = asyncio.Lock(), 0, 0.0


class Turns:
    """Of one process; used on its event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def place(self, customer: str) -> AsyncIterator[None]:
        """A place among the customer's batches, from before the body is read; raises ``TooManyBatches``."""
        queue = self._queue(customer)
        if queue.waiting >= BATCHES_WAITING:
            raise TooManyBatches(
                f"{queue.waiting} batches of yours wait already; send one after another, or fewer at once",
                retry_after=max(queue.free_at - self._clock(), 1.0),
            )
        queue.waiting += 1
        try:
            yield
        finally:
            queue.waiting -= 1

    @asynccontextmanager
    async def turn(self, customer: str, size: int) -> AsyncIterator[list[int]]:
        """Alone for this customer, and for a large body alone in the house. Append to the list how many were sent."""
        counted: list[int] = []
        queue = self._queues[customer]
        async with queue.lock:
            await asyncio.sleep(max(0.0, queue.free_at - self._clock()))
            try:
                if size <= SMALL_BATCH:
                    yield counted
                else:
                    async with self._alone():
                        yield counted
            finally:
                # What could not be read was read all the same.
                events = sum(counted) or size // SMALLEST_EVENT
                queue.free_at = self._clock() + events / EVENTS_PER_SECOND

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        house = self._queue(_HOUSE)
        house.waiting += 1
        try:
            async with house.lock:
                await asyncio.sleep(max(0.0, house.free_at - self._clock()))
                began = self._clock()
                try:
                    yield
                finally:
                    house.free_at = self._clock() + REST * (self._clock() - began)
        finally:
            house.waiting -= 1

    def _queue(self, name: str) -> _Queue:
        queue = self._queues.get(name)
        if queue is None:
            if len(self._queues) >= _MOST_KEPT:
                now = self._clock()
                kept = {key: one for key, one in self._queues.items() if one.waiting or one.free_at > now}
                self._queues = kept
            queue = self._queues[name] = _Queue()
        elif not queue.waiting:
            queue.lock = asyncio.Lock()  # an idle one may belong to a loop that is gone
        return queue
