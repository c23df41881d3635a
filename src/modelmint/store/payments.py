"""Attempts to collect, and what providers told."""

from __future__ import annotations

from modelmint.kit.clock import Clock
from modelmint.store.database import Database


class SqlPayments:
    """``commerce.payments.repository.PaymentBooks`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
