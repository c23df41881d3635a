"""What a database does by itself: one-row durable commits, alone and grouped. What paid calls are compared with."""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

#: Rows in one transaction at most, as in the books.
LARGEST = 512


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


class BareGroups:
    """The bound of group commit: the books' writer thread, with one bare row for each call instead of our work."""

    def __init__(self, bare: Bare) -> None:
        self._bare = bare
        self._queue: queue.SimpleQueue[Future[None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def call(self) -> None:
        """One row, durable when this returns."""
        done: Future[None] = Future()
        self._queue.put(done)
        done.result()

    def _run(self) -> None:
        stop = False
        while not stop:
            waiting = [self._queue.get()]
            while len(waiting) < LARGEST:
                try:
                    waiting.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            stop = None in waiting
            batch = [one for one in waiting if one is not None]
            if batch:
                self._bare.commit_all([("0123456789abcdef",)] * len(batch))
            for one in batch:
                one.set_result(None)

    def close(self) -> None:
        """Stop the thread."""
        self._queue.put(None)
        self._thread.join()
