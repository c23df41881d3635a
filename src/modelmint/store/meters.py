"""Usage events in, usage tables out."""

from __future__ import annotations

from modelmint.kit.clock import Clock
from modelmint.store.database import Database


class SqlMeters:
    """``commerce.metering.repository.Meters`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
