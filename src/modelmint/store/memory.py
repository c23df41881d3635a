"""What the hot path of one process remembers from batch to batch."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

from modelmint.commerce.documents.plan_json import from_json
from modelmint.commerce.moments import micros
from modelmint.commerce.types import Plan
from modelmint.kit.clock import Clock
from modelmint.kit.period import billing_period
from modelmint.store import hot_sql
from modelmint.store.hot_sql import HotConnection
from modelmint.store.leases import Leases

#: Seconds between two looks at the prepaid credit of one subscription.
_REFRESH = 1.0
_MINUTE = 60_000_000
#: Keys of which the last use is remembered; more are forgotten together.
_MOST_KEYS = 100_000


class NotedClock:
    """A clock that remembers the newest moment that anybody asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newest = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """The present moment, whatever came before."""
        now = self._clock.now()
        if now > self._newest:
            self._newest = now
        return now

    @property
    def newest(self) -> datetime:
        """A clock that goes back does not undo what has begun."""
        return self._newest


class Memory:
    """Plan versions (they never change), leases, the minute in which each key was last
    written.

    ``owner`` names this process, ``counting_owner`` the rows into which it counts, ``lease_time`` is how long (in
    microseconds) a call or a lease may stay open before anyone may release it.
    """

    def __init__(self, clock: NotedClock, owner: str, counting_owner: str, lease_time: int) -> None:
        self.owner, self.counting_owner, self.lease_time = owner, counting_owner, lease_time
        self.clock = clock
        self.leases = Leases(clock)
        #: The end of the newest closing at the last look, None before the first.
        self.closed: int | None = None
        self._periods: dict[int, tuple[int, int]] = {}
        self._refreshed: dict[str, float] = {}
        self._plans: dict[tuple[str, str], Plan] = {}
        self._uses: dict[str, int] = {}

    def plan(self, connection: HotConnection, name: str, version: str) -> Plan:
        """A plan version, read once."""
        plan = self._plans.get((name, version))
        if plan is None:
            ((body,),) = connection.rows(hot_sql.PLAN, (name, version))
            plan = self._plans[name, version] = from_json(json.loads(body))
        return plan

    def period(self, at: datetime, now: int, anchor: int) -> tuple[int, int]:
        """The billing period that holds ``at`` (``now`` microseconds), for customers with this anchor."""
        known = self._periods.get(anchor)
        if known is None or not known[0] <= now < known[1]:
            found = billing_period(at, anchor)
            known = self._periods[anchor] = (micros(found.start), micros(found.end))
        return known

    def is_new_use(self, key: str, now: int) -> bool:
        """Whether the last use of ``key`` is to be written: at most once a minute."""
        last = self._uses.get(key)
        return last is None or not 0 <= now - last < _MINUTE

    def note_use(self, key: str, now: int) -> None:
        """It was written."""
        if len(self._uses) >= _MOST_KEYS:
            self._uses.clear()
        self._uses[key] = now

    def may_refresh(self, subscription: str) -> bool:
        """Whether its prepaid credit is to be looked at; who hammers on spent credit makes us look once a second."""
        now = time.monotonic()
        if now - self._refreshed.get(subscription, -_REFRESH) < _REFRESH:
            return False
        if len(self._refreshed) >= _MOST_KEYS:
            self._refreshed.clear()
        self._refreshed[subscription] = now
        return True
