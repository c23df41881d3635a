"""Quota lent to this process: calls are admitted from it in memory, without asking the database.

A lease is a row of ``leases`` whose ``granted`` calls the subscription has counted already. Whoever changes what
admission decided (a key, a plan, credit) or needs the quota marks it recalled. The owner asks for recalls at least
every ``TICK`` seconds and trusts what it knows for ``FRESH`` seconds after it asked; so whoever recalls knows, that
long after the commit, that nobody is admitted on what was true before, even if the owner was stopped meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select, update

from modelmint.commerce.moments import micros
from modelmint.commerce.types import AdmissionRequest, Admitted
from modelmint.kit.clock import Clock
from modelmint.kit.ids import new_id
from modelmint.store.database import RECALLED, Database
from modelmint.store.lease import Lease, Reservation
from modelmint.store.process import is_dead, parse
from modelmint.store.schema import leases as rows

#: Seconds between two looks for recalls while anything is lent.
TICK = 0.01
#: Seconds for which a look is trusted.
FRESH = 0.1
#: Seconds after which nobody trusts a look that was before.
BOUND = 0.15
#: A lease that was not used for so many seconds is given back; a caller who comes again within them gets one.
IDLE = 0.05
_STEADY: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def steady() -> float:
    """Seconds on a clock that nobody sets and that goes on while the machine sleeps, where the system has one."""
    return time.monotonic() if _STEADY is None else time.clock_gettime(_STEADY)


def recall(connection: Connection, customer: str) -> None:
    """Take back what is lent of the customer's quota, in the transaction that changes what admission decided.

    ``Database.write`` then waits, after the commit, until no process admits anybody on what was true before.
    """
    connection.execute(update(rows).where(rows.c.customer == customer).values(recalled=1))
    connection.info.setdefault(RECALLED, set()).add(customer)


def wait_given_back(database: Database, customers: Iterable[str]) -> None:
    """Wait until the leases of ``customers`` that are recalled are gone, their owners dead, or ``BOUND`` has passed."""
    until = steady() + BOUND
    query = select(rows.c.owner).where(rows.c.customer.in_(sorted(customers)), rows.c.recalled == 1)
    while steady() < until:
        with database.read() as connection:
            owners = set(connection.scalars(query))
        if all(is_dead(parse(owner), shared_disk_only=database.kind == "sqlite") for owner in owners):
            return
        time.sleep(0.001)


class Leases:
    """All that is lent to this process, and the calls under way on it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.lock = threading.Lock()
        self._by_key: dict[str, tuple[Lease, str, int | None]] = {}
        self._by_subscription: dict[str, Lease] = {}
        self._closed: dict[str, Lease] = {}
        self._under_way: dict[str, Reservation] = {}
        self._asked: dict[str, float] = {}
        self._fresh_until = 0.0
        #: When recalls were looked for last, seconds of ``steady``.
        self.looked_at = 0.0

    def admit(self, request: AdmissionRequest) -> Admitted | None:
        """The call may run, counted already; None: ask the database."""
        known = self._by_key.get(request.key_digest or "")
        calls = request.calls
        if known is None or request.idempotency_key is not None or calls < 1 or request.items < 0:
            return None
        if not request.model.isprintable():  # what the database may refuse to hold it refuses before the call runs
            return None
        lease, key, expires_at = known
        now = micros(self._clock.now())
        if not lease.starts_at <= now < lease.ends_at or (expires_at is not None and now >= expires_at):
            return None
        account = lease.account
        name = new_id("call")
        call = Reservation(
            name, account.customer, key, lease.subscription, request.model, calls, request.items, lease.month, None,
            lease, now
        )  # fmt: skip
        with self.lock:
            at = steady()
            if not lease.is_open or lease.unused < calls or at >= self._fresh_until:
                return None
            lease.unused -= calls
            lease.last_used = at
            self._under_way[name] = call
            remaining = None if lease.left is None else lease.left + lease.unused
        plan = "" if account.plan is None else account.plan.name
        return Admitted(name, account.customer, key, lease.subscription, plan, remaining, None)

    # from here on: whoever holds the work on a batch, except ``overdue``, which the idle writer asks, too
    def under_way(self, call: str) -> Reservation | None:
        """The call of this id, where it runs on a lease of this process."""
        return self._under_way.get(call)

    def older_than(self, moment: int) -> list[str]:
        """Calls on leases that began before ``moment``."""
        with self.lock:
            return [name for name, call in self._under_way.items() if call.began <= moment]

    def of(self, subscription: str) -> Lease | None:
        """The open lease of a subscription."""
        return self._by_subscription.get(subscription)

    def is_wanted(self, subscription: str) -> bool:
        """Whether this caller came a moment ago, too; notes that it came."""
        now = steady()
        before = self._asked.get(subscription)
        if len(self._asked) > 10_000:
            self._asked.clear()
        self._asked[subscription] = now
        return before is not None and now - before < IDLE

    def looked(self, since: float) -> None:
        """Recalls were looked for at ``since`` (seconds of ``steady``), and closed here."""
        self.looked_at, self._fresh_until = since, since + FRESH

    def open(self, lease: Lease, digest: str, key: str, expires_at: int | None) -> None:
        """``digest`` may call on ``lease``."""
        with self.lock:
            if lease.is_open:
                self._by_subscription[lease.subscription] = lease
                self._by_key[digest] = (lease, key, expires_at)
                lease.digests.add(digest)

    def close(self, lease: Lease) -> None:
        """Nobody starts a call on it any more; it waits in ``closed`` until its row is gone."""
        with self.lock:
            if not lease.is_open:
                return
            lease.is_open = False
            lease.unused = 0
            self._closed[lease.id] = lease
            if self._by_subscription.get(lease.subscription) is lease:
                del self._by_subscription[lease.subscription]
            for digest in lease.digests:
                if self._by_key.get(digest, (None,))[0] is lease:
                    del self._by_key[digest]
            lease.digests.clear()

    def close_all(self, names: set[str]) -> None:
        """Close the open leases of these ids."""
        for lease in [one for one in self._by_subscription.values() if one.id in names]:
            self.close(lease)

    def everything(self) -> None:
        """Close all."""
        for lease in list(self._by_subscription.values()):
            self.close(lease)

    def closed(self) -> list[Lease]:
        """Leases to be given back."""
        return list(self._closed.values())

    def calls_on(self, lease: Lease) -> list[Reservation]:
        """What is under way on it."""
        with self.lock:
            return [call for call in self._under_way.values() if call.lease is lease]

    def gone(self, lease: Lease, calls: Iterable[str]) -> None:
        """Its row is gone; ``calls`` are held one by one now."""
        with self.lock:
            self._closed.pop(lease.id, None)
            for call in calls:
                self._under_way.pop(call, None)

    def all_ended(self, calls: Mapping[str, int]) -> None:
        """Calls on leases ended, and how many of each may be used again."""
        with self.lock:
            for name, unused in calls.items():
                known = self._under_way.pop(name, None)
                if unused and known is not None and known.lease is not None and known.lease.is_open:
                    known.lease.unused += unused

    def lent(self, lease: Lease, calls: int, left: int | None) -> None:
        """``calls`` more may be used."""
        with self.lock:
            lease.left, lease.size = left, calls
            if lease.is_open:
                lease.unused += calls
                lease.last_used = steady()

    def overdue(self, now: int) -> list[Lease]:
        """Open leases that nobody used for a while, or that were held for long."""
        before = steady() - IDLE
        held = list(self._by_subscription.values())  # the writer asks while a caller may close one
        return [one for one in held if one.last_used < before or not one.starts_at <= now < one.renew_at]

    @property
    def has_closed(self) -> bool:
        """Whether anything is to be given back."""
        return bool(self._closed)

    @property
    def any(self) -> bool:
        """Whether recalls concern us."""
        return bool(self._by_subscription or self._closed)
