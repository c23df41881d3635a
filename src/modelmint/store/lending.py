"""Leases in one batch: read, lend, use, give back. ``leases`` hears of it only after the commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from modelmint.commerce.admission import Account
from modelmint.commerce.leasing import lease_ends_at, lease_size, may_lend, room
from modelmint.store import hot_sql
from modelmint.store.counts import Counts
from modelmint.store.hot_sql import HotConnection
from modelmint.store.lease import Lease, Reservation
from modelmint.store.leases import TICK, Leases, steady
from modelmint.store.process import is_dead, parse


class LeaseLost(Exception):
    """A lease that we hold is recalled or gone; no error of a caller's, the batch is decided anew without it."""


class Lending:
    """What one batch does with leases. The rows it changes are held by its transaction."""

    def __init__(self, connection: HotConnection, leases: Leases, counts: Counts, owner: str, lease_time: int) -> None:
        self._connection = connection
        self._leases = leases
        self._counts = counts
        self._owner = owner
        self._time = lease_time
        #: Rows of ours: calls granted. Rows to be removed, ours or of the dead.
        self._granted: dict[str, int] = {}
        self._written: dict[str, int] = {}
        self._removed: list[str] = []
        self._touched: dict[str, Lease] = {}
        self._new: dict[str, Lease] = {}
        self._lent: list[tuple[Lease, int, int | None]] = []
        self._opened: list[tuple[Lease, str, str, int | None]] = []
        self._ended: dict[str, int] = {}
        self._gone: list[tuple[Lease, list[str]]] = []
        self._spilt: set[str] = set()
        self._looked: float | None = None

    def look(self, now: int) -> None:
        """Close what was recalled or is overdue."""
        at = steady()
        if not self._leases.any:
            self._looked = at  # whatever is lent in this batch is recalled after it
            return
        if at - self._leases.looked_at > TICK / 2:
            recalled = {row[0] for row in self._connection.rows(hot_sql.RECALLED, (self._owner,))}
            self._leases.close_all(recalled)
            self._looked = at
        for lease in self._leases.overdue(now):
            self._leases.close(lease)

    def know(self, leases: Iterable[Lease]) -> None:
        """Work on ``leases`` as we remember them; ``write`` sees whether their rows are still there."""
        for lease in leases:
            self._touched[lease.id] = lease
            self._granted[lease.id] = self._written[lease.id] = lease.granted

    def load(self, leases: Sequence[Lease]) -> None:
        """Read the rows of ``leases``, which are to be given back."""
        names = [lease.id for lease in leases]
        self._touched.update(zip(names, leases, strict=True))
        rows = self._connection.rows(hot_sql.LEASES, (self._connection.strings(sorted(names)),)) if names else []
        self._written.update(rows)
        self._granted.update(rows)

    def under_way(self, call: str) -> Reservation | None:
        """A call on one of our leases, not ended and not given back in this batch."""
        if call in self._ended or call in self._spilt:
            return None
        found = self._leases.under_way(call)
        if found is None or found.lease is None or found.lease.id not in self._granted:
            return None
        return found

    def end(self, call: Reservation, unused: int) -> None:
        """A call on an open lease ended; ``unused`` of its calls go back to the lease."""
        if call.lease is not None:
            self._granted[call.lease.id] -= call.calls - unused
            self._ended[call.id] = unused

    def lend(self, account: Account, digest: str, now: int, period_ends_at: int) -> None:
        """After a call was admitted: let the next ones of this key be admitted from memory, where that pays."""
        subscription = account.subscription
        if subscription is None or not may_lend(account):
            return
        lease = self._leases.of(subscription) or self._new.get(subscription)
        if lease is None:
            counters = self._counts.of(subscription)
            left = room(account, counters, counters.month)
            size = lease_size(left)
            if not size or not self._leases.is_wanted(subscription):
                return
            ends_at = lease_ends_at(account, counters, period_ends_at)
            lease = self._new[subscription] = Lease(account, counters.month, now, ends_at, now + self._time // 2)
            self._touched[lease.id] = lease
            self._grant(lease, size, left)
        if digest not in lease.digests and lease.id in self._granted:
            self._opened.append((lease, digest, account.key, account.expires_at))

    def _grant(self, lease: Lease, size: int, left: int | None) -> None:
        self._counts.take(lease.subscription, size)
        self._granted[lease.id] = self._granted.get(lease.id, 0) + size
        self._lent.append((lease, size, None if left is None else left - size))

    def top_up(self, now: int) -> None:
        """Lend more on leases of this batch that run low."""
        for lease in self._touched.values():
            if not lease.is_low or lease.id not in self._written or not lease.starts_at <= now < lease.ends_at:
                continue
            if not self._counts.knows(lease.subscription):
                continue  # it ran low just now; the next batch reads, and locks, subscriptions before leases
            counters = self._counts.of(lease.subscription)
            left = room(lease.account, counters, counters.month)
            size = lease_size(left)
            if size and counters.month == lease.month:
                self._grant(lease, size, left)

    def bring_home(self, subscription: str) -> list[Reservation] | None:
        """Give back our own lease of a subscription; its calls under way, to be held one by one. None: no lease."""
        lease = self._leases.of(subscription) or self._new.get(subscription)
        if lease is None or not lease.is_open:
            return None
        if lease.subscription not in self._new:
            before = self._granted.pop(lease.id, None)
            used = 0 if before is None else self._written.pop(lease.id) - before
            self.load([lease])
            if lease.id in self._granted:
                self._granted[lease.id] -= used
        return self.give_back(lease)

    def give_back(self, lease: Lease) -> list[Reservation]:
        """Count what is not in use as not used, and remove the row; its calls under way, to be held one by one."""
        self._leases.close(lease)
        calls = [call for call in self._leases.calls_on(lease) if call.id not in self._ended]
        self._spilt.update(call.id for call in calls)
        self._gone.append((lease, [call.id for call in calls]))
        granted = self._granted.pop(lease.id, None)
        if granted is None:  # released as forgotten, or given back by a commit that we did not hear of
            return []
        if lease.is_doubtful:
            names = self._connection.strings(sorted(call.id for call in calls))
            known = {row[0] for row in self._connection.rows(hot_sql.KNOWN, (names,))}
            calls = [call for call in calls if call.id not in known]
        self._counts.give_back(lease.subscription, granted - sum(call.calls for call in calls), lease.month)
        self._removed.append(lease.id)
        return [replace(call, lease=None) for call in calls]

    def bring_back(self, subscription: str, *, shared_disk_only: bool) -> tuple[bool, bool]:
        """Take back what dead processes hold of a subscription, recall what others do: whether there was either."""
        released = asked = False
        for name, owner, granted, month in self._connection.rows(hot_sql.ABROAD, (subscription, self._owner)):
            if name in self._removed:
                continue
            if is_dead(parse(owner), shared_disk_only=shared_disk_only):
                self._counts.give_back(subscription, granted, month)
                self._removed.append(name)
                released = True
            else:
                asked = True
        if asked:
            self._connection.many(hot_sql.RECALL, [(subscription, self._owner)])
        return released, asked

    def release(self, names: Sequence[str]) -> None:
        """Give back the leases of processes that are dead or silent for long."""
        asked = (self._connection.strings(sorted(names)), self._owner)
        self._counts.load((), {row[0] for row in self._connection.rows(hot_sql.FORGOTTEN_OF, asked)}, 0)
        for name, subscription, granted, month in self._connection.rows(hot_sql.FORGOTTEN, asked):
            if name in self._removed:
                continue
            self._counts.give_back(subscription, granted, month)
            self._removed.append(name)

    def write(self, now: int) -> None:
        """Send what changed."""
        many, granted = self._connection.many, self._granted
        new: list[tuple[Any, ...]] = [
            (lease.id, lease.account.customer, lease.subscription, self._owner, granted[lease.id], lease.month, 0,
             now + self._time)
            for lease in self._new.values() if lease.id in granted
        ]  # fmt: skip
        many(hot_sql.ADD_LEASE, new)
        before = sorted(self._written.items())
        changed = [(granted[name], name) for name, was in before if granted.get(name, was) != was]
        if self._connection.update(hot_sql.GRANT, changed, hot_sql.STILL_OURS) != len(changed):
            raise LeaseLost("a lease in use was recalled, or released as forgotten")
        many(hot_sql.END_LEASE, [(name,) for name in sorted(self._removed)])

    def written(self) -> None:
        """The transaction was committed."""
        for name, lease in self._touched.items():
            lease.granted = self._granted.get(name, 0)
        self._leases.all_ended(self._ended)
        for lease, size, left in self._lent:
            self._leases.lent(lease, size, left)
        for opened in self._opened:
            self._leases.open(*opened)
        for lease, calls in self._gone:
            self._leases.gone(lease, calls)
        if self._looked is not None:
            self._leases.looked(self._looked)

    def failed(self) -> None:
        """It was not, or nobody knows: what it touched is given back, after a look at what the database kept."""
        for lease in self._touched.values():
            lease.is_doubtful = True
            self._leases.close(lease)
