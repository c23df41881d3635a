"""What a database does by itself: one-row durable commits, alone and grouped. What paid calls are compared with."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from modelmint.kit.clock import SystemClock
from modelmint.store.batch import Batch
from modelmint.store.database import Database
from modelmint.store.memory import Memory, NotedClock
from modelmint.store.operation import Operation
from modelmint.store.pending import Pending
from modelmint.store.transactions import Transactions
from modelmint.store.writer import GroupWriter


class Bare:
    """A table of one column in a database of its own beside the books, and one connection to it."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._sqlite = parsed.get_backend_name() == "sqlite"
        if self._sqlite:
            file = Path(str(parsed.database)).with_name("bare.sqlite")
            self.connection: Any = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            self.connection.execute("PRAGMA journal_mode=WAL")
            self.connection.execute("PRAGMA synchronous=FULL")
        else:
            import psycopg

            dsn = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
            self.connection = psycopg.connect(dsn, autocommit=True)
        self._cursor = self.connection.cursor()
        self._cursor.execute("CREATE TABLE bare (at TEXT)")
        self._insert = f"INSERT INTO bare VALUES ({'?' if self._sqlite else '%s'})"

    def commit_one(self) -> float:
        """Seconds for one row, one transaction, synced."""
        start = time.perf_counter()
        self._cursor.execute(self._insert, ("0123456789abcdef",))
        return time.perf_counter() - start

    def commit_all(self, rows: list[tuple[str]]) -> None:
        """One transaction, synced."""
        self._cursor.execute("BEGIN IMMEDIATE" if self._sqlite else "BEGIN")
        self._cursor.executemany(self._insert, rows)
        self._cursor.execute("COMMIT")

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


class BareCall:
    """An operation that leaves one row."""

    waits = False
    tells_early = False

    def __init__(self) -> None:
        self.future: Pending[None] = Pending()

    def digests(self) -> list[str]:
        return []

    def reservations(self) -> list[str]:
        return []

    def apply(self, batch: Batch) -> None:
        return None

    def decided(self) -> None:
        return None

    def durable(self) -> None:
        self.future.resolve()

    def failed(self, error: BaseException) -> None:
        self.future.fail(error)


class _BareRows(Transactions):
    """One bare row for each operation instead of our work."""

    def __init__(self, bare: Bare, url: str, memory: Memory) -> None:
        super().__init__(Database(url), memory)
        self._bare = bare

    def run(self, operations: Sequence[Operation]) -> list[Operation]:
        with self._my_turn():
            self._bare.commit_all([("0123456789abcdef",)] * len(operations))
        for operation in operations:
            operation.durable()
        return []


class BareGroups(GroupWriter):
    """The bound of group commit: the books' own writer thread, with one bare row for each call."""

    def __init__(self, bare: Bare, url: str) -> None:
        memory = Memory(NotedClock(SystemClock()), "bare", "", 1)
        super().__init__(_BareRows(bare, url, memory), memory)

    def call(self) -> None:
        """One row, durable when this returns."""
        operation = BareCall()
        self.submit(operation)
        operation.future.result()
