"""The counters of subscriptions, as one batch reads and changes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from modelmint.commerce.admission import Counters, give_back
from modelmint.store import hot_sql
from modelmint.store.hot_sql import HotConnection


class Counts:
    """Rows of ``subscriptions`` that this transaction holds."""

    def __init__(self, connection: HotConnection) -> None:
        self._connection = connection
        self._known: dict[str, Counters] = {}
        self._anchors: dict[str, int] = {}
        self._changed: set[str] = set()
        self._taken_over: set[str] = set()
        self._later: dict[str, list[str]] = {}

    def load(self, customers: Iterable[str], subscriptions: Iterable[str], at: int) -> dict[str, Any]:
        """Read the spans of ``customers`` at ``at`` and ``subscriptions``; the row of each customer's span."""
        spans: dict[str, Any] = {}
        strings = self._connection.strings
        parameters = (strings(customers), at, at, strings(subscriptions))
        for row in self._connection.rows(hot_sql.SUBSCRIPTIONS, parameters):
            self._known[row[0]] = self._counters(row)
            self._anchors[row[0]] = row[14]
            # What has begun (its counters are set) began, even where the clock went back to a moment before.
            begun = row[9] <= at or row[6] >= 0
            former = spans.get(row[1])
            if begun and (row[10] is None or max(at, row[9]) < row[10]) and (former is None or former[9] <= row[9]):
                spans[row[1]] = row
        return spans

    def _counters(self, span: Any) -> Counters:
        """What was used of the plan; a span that was planned ahead goes on where the plan's last span stopped."""
        if span[6] < 0:
            for row in self._connection.rows(hot_sql.COUNTERS_BEFORE, (span[1], span[2])):
                self._taken_over.add(span[0])
                return Counters(*row)
        return Counters(*span[4:9])

    def of(self, subscription: str) -> Counters:
        """Its counters."""
        if subscription not in self._known:
            self.load((), (subscription,), 0)
        return self._known[subscription]

    def anchor(self, subscription: str) -> int:
        """Day of the month on which its customer's billing periods begin."""
        if subscription not in self._anchors:
            self.load((), (subscription,), 0)
        return self._anchors[subscription]

    def put(self, subscription: str, counters: Counters) -> None:
        """New counters."""
        self._known[subscription] = counters
        self._changed.add(subscription)

    def take(self, subscription: str, calls: int) -> None:
        """``calls`` more are counted in the month that the counters are in."""
        c = self.of(subscription)
        self.put(subscription, Counters(c.lifetime_calls + calls, c.since, c.month, c.month_calls + calls, c.next_call))

    def give_back(self, subscription: str, calls: int, month: int) -> None:
        """``calls`` that were counted in ``month`` did not happen."""
        if calls > 0:
            for name in (subscription, *self._later_than(subscription)):
                self.put(name, give_back(self.of(name), calls, month))

    def _later_than(self, subscription: str) -> list[str]:
        """Spans that took over what was counted here, calls under way included."""
        later = self._later.get(subscription)
        if later is None:
            rows = self._connection.rows(hot_sql.LATER, (subscription,) * 3)
            later = [name for name, month in rows if month >= 0 or name in self._taken_over]
            self._later[subscription] = later
        return later

    def knows(self, subscription: str) -> bool:
        """Whether its row was read, and is held, by this transaction."""
        return subscription in self._known

    def write(self) -> None:
        """Send what changed."""
        known = self._known
        self._connection.many(
            hot_sql.COUNT,
            [
                (c.lifetime_calls, c.since, c.month, c.month_calls, c.next_call, name)
                for name in sorted(self._changed)
                for c in (known[name],)
            ],
        )
