"""Keys, the audit log, erasure, alarms."""

from __future__ import annotations

from modelmint.kit.clock import Clock
from modelmint.store.database import Database


class SqlPeople:
    """``commerce.people.repository.People`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
