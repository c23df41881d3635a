"""What becomes of finalised invoices: paid, void, credit notes."""

from __future__ import annotations

from modelmint.kit.clock import Clock
from modelmint.store.database import Database


class SqlBills:
    """``commerce.billing.repository.Bills`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
