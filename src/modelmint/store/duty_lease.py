"""Who does the housekeeping of these books, where processes on several machines could."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from modelmint.store.database import Database

#: PostgreSQL advisory lock of the session that holds the lease.
DUTIES_LOCK = 0x6D6D5F647574696573 & 0x7FFFFFFFFFFFFFFF


class DutyLease:
    """Held by one session of a PostgreSQL database at a time; the server takes it back when the session ends.

    An SQLite file is on one machine, where the worker's own lease file does: here the lease is always free.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Any = None

    def take(self) -> bool:
        """Whether this process holds the lease now; raises ``BooksUnavailable``."""
        if self._database.kind == "sqlite":
            return True
        if self._connection is not None:
            try:
                self._connection.execute("SELECT 1")
            except Exception:  # the session is gone, and the lease with it
                self.close()
            else:
                return True
        connection = self._database.driver_connection()
        if connection.execute("SELECT pg_try_advisory_lock(%s)", (DUTIES_LOCK,)).fetchone()[0]:
            self._connection = connection
            return True
        connection.close()
        return False

    def close(self) -> None:
        """Give it back."""
        if self._connection is not None:
            with suppress(Exception):  # what is broken is closed already
                self._connection.close()
            self._connection = None
