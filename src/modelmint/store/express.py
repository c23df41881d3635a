"""Settlements of calls on leases, by far the most frequent batch: nothing has to be read, so it only writes.

What the whole path (``batch``) finds out by reading is asserted by the statements that write: that the leases are still
ours, and that no period was closed since the last look. Where that, or anything else, is not so, nothing is written
and the whole path takes the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelmint.commerce.moments import micros, moment
from modelmint.store.hot_rows import bucket_of, outcome_row
from modelmint.store.lease import Lease
from modelmint.store.leases import TICK, steady
from modelmint.store.memory import Memory
from modelmint.store.operation import Operation
from modelmint.store.settle import Settle


class Express:
    """The rows that a batch of settlements leaves."""

    def __init__(self, memory: Memory, closed: int) -> None:
        self._memory = memory
        self._leases = memory.leases
        self.owner, self.counted_by, self.bucket = memory.owner, memory.counting_owner, 0
        #: The end of the newest closing that we know of: in closed periods nothing is booked.
        self.closed = closed
        self.outcomes: list[tuple[Any, ...]] = []
        self.shares: list[tuple[str, int]] = []
        #: Calls used of each lease.
        self.used: dict[str, int] = {}
        #: When recalls are looked for with this batch, None: not yet again.
        self.looked: float | None = None
        self._touched: dict[str, Lease] = {}
        self._ended: dict[str, int] = {}

    def take(self, operations: Sequence[Operation]) -> bool:
        """Prepare the rows; False where the whole path is needed."""
        memory = self._memory
        clocked = memory.clock.now()
        now = micros(clocked)
        at = steady()
        if at - self._leases.looked_at > TICK / 2:
            self.looked = at
            if self._leases.overdue(now):
                return False
        booked = max(now, self.closed)
        booked_at = clocked if booked == now else moment(booked)
        self.bucket = bucket_of(booked, self.closed)
        ended, used = self._ended, self.used
        for operation in operations:
            if type(operation) is not Settle:
                return False
            call = self._leases.under_way(operation.settlement.reservation)
            lease = None if call is None else call.lease
            if call is None or lease is None or not lease.is_open or lease.is_low or call.id in ended:
                return False
            try:
                outcome, unused = operation.outcome(call, booked_at)
            except Exception:  # whatever is wrong with it, the whole path tells its caller and not the others
                return False
            ended[call.id] = unused
            share = call.calls - unused
            used[lease.id] = used.get(lease.id, 0) + share
            self.shares.append((lease.id, share))
            self._touched[lease.id] = lease
            month = memory.period(clocked, now, lease.account.anchor)[0]
            self.outcomes.append(outcome_row(outcome, booked, month))
            operation.settled(outcome)
        return True

    def written(self) -> None:
        """The transaction is on the disk."""
        for name, lease in self._touched.items():
            lease.granted -= self.used[name]
        self._leases.all_ended(self._ended)
        if self.looked is not None:
            self._leases.looked(self.looked)

    def failed(self) -> None:
        """Nobody knows whether it was written: the leases are given back, after a look at what the database kept."""
        for lease in self._touched.values():
            lease.is_doubtful = True
            self._leases.close(lease)


def prepare(operations: Sequence[Operation], memory: Memory) -> Express | None:
    """The batch as rows, None where it needs the whole path."""
    if memory.closed is None or memory.leases.has_closed:
        return None
    found = Express(memory, memory.closed)
    return found if found.take(operations) else None
