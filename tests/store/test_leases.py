"""What is lent to this process, while several threads look at it."""

from __future__ import annotations

from datetime import UTC, datetime

from modelmint.commerce.admission import Account
from modelmint.kit.clock import ManualClock
from modelmint.store.lease import Lease
from modelmint.store.leases import Leases

LATE = 2**60


def a_lease(number: int, kind: type[Lease] = Lease) -> Lease:
    return kind(Account("cus", "key", False, f"sub{number}", None), 0, 0, LATE, LATE)


def test_the_writer_may_look_for_leases_to_give_back_while_a_caller_closes_and_opens_some() -> None:
    leases = Leases(ManualClock(datetime(2026, 11, 10, tzinfo=UTC)))
    opened = [a_lease(number) for number in range(5)]

    class Meanwhile(Lease):
        """Looking at it takes so long that somebody else changes what is lent."""

        __slots__ = ()

        @property
        def last_used(self) -> float:
            leases.close(opened[-1])
            leases.open(a_lease(100), "digest", "key", None)
            return 0.0

        @last_used.setter
        def last_used(self, at: float) -> None:
            return

    slow = a_lease(50, Meanwhile)
    for number, lease in enumerate([opened[0], slow, *opened[1:]]):
        leases.open(lease, f"digest{number}", "key", None)
    overdue = leases.overdue(1)
    assert {lease.id for lease in overdue} >= {slow.id, *(lease.id for lease in opened[:-1])}
    assert [lease.id for lease in leases.closed()] == [opened[-1].id]
    for lease in overdue:
        leases.close(lease)  # one of them is closed already
    assert {lease.id for lease in leases.closed()} == {slow.id, *(lease.id for lease in opened)}
