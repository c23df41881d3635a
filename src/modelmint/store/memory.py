"""What the hot path of one process remembers from batch to batch."""

from __future__ import annotations

import json

from modelmint.commerce.documents.plan_json import from_json
from modelmint.commerce.types import Plan
from modelmint.store import hot_sql
from modelmint.store.hot_sql import HotConnection

_MINUTE = 60_000_000
#: Keys of which the last use is remembered; more are forgotten together.
_MOST_KEYS = 100_000


class Memory:
    """Plan versions (they never change), the newest moment seen, the minute in which each key was last written."""

    def __init__(self) -> None:
        self._plans: dict[tuple[str, str], Plan] = {}
        self._uses: dict[str, int] = {}
        self._seen = 0

    def plan(self, connection: HotConnection, name: str, version: str) -> Plan:
        """A plan version, read once."""
        plan = self._plans.get((name, version))
        if plan is None:
            ((body,),) = connection.rows(hot_sql.PLAN, (name, version))
            plan = self._plans[name, version] = from_json(json.loads(body))
        return plan

    def newest(self, now: int) -> int:
        """The newest moment that any batch saw: a clock that goes back does not undo what has begun."""
        self._seen = max(self._seen, now)
        return self._seen

    def is_new_use(self, key: str, now: int) -> bool:
        """Whether the last use of ``key`` is to be written: at most once a minute."""
        last = self._uses.get(key)
        return last is None or not 0 <= now - last < _MINUTE

    def note_use(self, key: str, now: int) -> None:
        """It was written."""
        if len(self._uses) >= _MOST_KEYS:
            self._uses.clear()
        self._uses[key] = now
