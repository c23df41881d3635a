"""How customers hold plans over time: change, preview, pause, resume, cancel."""

from __future__ import annotations

from modelmint.kit.clock import Clock
from modelmint.store.database import Database


class SqlContracts:
    """``commerce.billing.repository.Contracts`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
