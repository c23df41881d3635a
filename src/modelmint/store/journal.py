"""The hash-chained ledger: verify, segments, exports."""

from __future__ import annotations

from modelmint.kit.clock import Clock
from modelmint.store.database import Database


class SqlJournal:
    """``commerce.ledger.repository.Journal`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
