"""Group commit: one thread per process turns whatever is waiting into one transaction and one sync.

Nobody waits for a batch to fill: at low load a batch is one call, under load it is what arrived during the
last commit. Decisions are told before the commit, so that the engine works while the disk does.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Sequence

from modelmint.kit.clock import Clock
from modelmint.store.batch import Batch
from modelmint.store.database import Database, as_ours
from modelmint.store.errors import BooksUnavailable
from modelmint.store.hot_sql import HotConnection
from modelmint.store.memory import Memory
from modelmint.store.operation import Operation
from modelmint.store.turn import Turn

#: Operations in one transaction at most, so that the first does not wait for the work of too many.
LARGEST = 512


class GroupWriter:
    """The thread, its queue and its connection; all start with the first operation."""

    def __init__(self, database: Database, clock: Clock, tally_owner: str) -> None:
        self._database = database
        self._clock = clock
        self._tally_owner = tally_owner
        self._memory = Memory()
        self._queue: queue.SimpleQueue[Operation | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._connection: HotConnection | None = None

    def submit(self, operation: Operation) -> None:
        """Queue ``operation``; it hears of its end through its own methods."""
        if self._thread is None:
            self._start()
        self._queue.put(operation)
        if self._closed:
            self._refuse_waiting()

    def close(self) -> None:
        """Finish what is queued, then stop."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is not None:
            self._queue.put(None)
            thread.join()
        self._refuse_waiting()

    def _start(self) -> None:
        with self._lock:
            if self._closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="modelmint-books", daemon=True)
                self._thread.start()

    def _refuse_waiting(self) -> None:
        """Answer operations that came after the end."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            return
        while True:
            try:
                operation = self._queue.get_nowait()
            except queue.Empty:
                return
            if operation is not None:
                operation.failed(BooksUnavailable("the books are closed; nothing was stored"))

    def _run(self) -> None:
        turn = Turn(self._database.lock_file)
        stop = False
        while not stop:
            first = self._queue.get()
            batch, stop = self._gather(first)
            if batch:
                self._execute(batch, turn)
        turn.close()
        if self._connection is not None:
            self._connection.close()

    def _gather(self, first: Operation | None) -> tuple[list[Operation], bool]:
        batch: list[Operation] = []
        item = first
        while item is not None:
            batch.append(item)
            if len(batch) == LARGEST:
                return batch, False
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _execute(self, operations: Sequence[Operation], turn: Turn) -> None:
        told = False
        try:
            with turn:
                connection = self._connect()
                connection.begin()
                batch = self._decide(connection, operations)
                told = True
                for operation in operations:
                    operation.decided()
                connection.commit()
        except Exception as error:  # whatever it was, every caller must hear of it and the thread must live
            self._undo()
            if len(operations) > 1 and not told and not _is_outage(error):
                # One operation that the database cannot hold must not fail the others.
                for operation in operations:
                    self._execute([operation], turn)
                return
            for operation in operations:
                operation.failed(as_ours(error))
            return
        batch.written()
        for operation in operations:
            operation.durable()

    def _connect(self) -> HotConnection:
        if self._connection is None:
            self._connection = HotConnection(self._database.driver_connection(), self._database.kind)
        return self._connection

    def _decide(self, connection: HotConnection, operations: Sequence[Operation]) -> Batch:
        batch = Batch(connection, self._clock, self._memory, self._tally_owner)
        batch.load(
            [digest for operation in operations for digest in operation.digests()],
            [name for operation in operations for name in operation.reservations()],
        )
        for operation in operations:
            operation.apply(batch)
        batch.write()
        return batch

    def _undo(self) -> None:
        """Roll back, or drop a connection that cannot."""
        connection = self._connection
        if connection is None:
            return
        try:
            connection.rollback()
            broken = connection.broken
        except Exception:
            broken = True
        if broken:
            self._connection = None
            try:
                connection.close()
            except Exception:
                return


def _is_outage(error: Exception) -> bool:
    """Whether trying the operations one by one would meet the same trouble."""
    if isinstance(error, sqlite3.OperationalError | OSError | BooksUnavailable):
        return True
    return type(error).__name__ in {"OperationalError", "AdminShutdown"} or any(
        base.__name__ == "OperationalError" for base in type(error).__mro__
    )
