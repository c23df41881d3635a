"""Group commit: one thread per process turns whatever is waiting into one transaction and one sync.

Nobody waits for a batch to fill: at low load a batch is one call, under load it is what arrived during the
last commit. Decisions are told before the commit, so that the engine works while the disk does.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from modelmint.commerce.moments import micros
from modelmint.store import hot_sql
from modelmint.store.batch import Batch
from modelmint.store.database import Database, as_ours
from modelmint.store.errors import BooksUnavailable
from modelmint.store.hot_sql import HotConnection
from modelmint.store.leases import TICK, steady
from modelmint.store.lending import LeaseLost
from modelmint.store.memory import Memory
from modelmint.store.operation import Operation
from modelmint.store.settle import Release
from modelmint.store.turn import Turn

#: Operations in one transaction at most, so that the first does not wait for the work of too many.
LARGEST = 512
#: Seconds after which an operation that waits for another process is tried again.
_AGAIN = 0.002

#: Looks at the prepaid credit of a subscription.
Refresh = Callable[[str], None]

_log = logging.getLogger(__name__)


class GroupWriter:
    """The thread, its queue and its connection; all start with the first operation.

    ``refresh`` looks at the prepaid credit of a subscription, in a transaction of its own.
    """

    def __init__(self, database: Database, memory: Memory, refresh: Refresh | None = None) -> None:
        self._database = database
        self._memory = memory
        self._refresh = refresh
        self._queue: queue.SimpleQueue[Operation | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._connection: HotConnection | None = None
        self._waiting: list[Operation] = []
        #: The last sync failed: nobody is served until what is committed is known to be on the disk.
        self._unsynced = False
        #: When whatever waits is tried again, monotonic seconds.
        self._retry_at = 0.0

    def submit(self, operation: Operation) -> None:
        """Queue ``operation``; it hears of its end through its own methods."""
        if self._thread is None:
            self._start()
        self._queue.put(operation)
        if self._closed:
            self._refuse_waiting()

    def nudge(self) -> None:
        """Look for recalls now."""
        if self._thread is not None and self._memory.leases.any:
            self.submit(Release(()))

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

    def is_this_thread(self) -> bool:
        """Whether the caller is the writer itself, which nobody may make wait for the writer."""
        return self._thread is threading.current_thread()

    def _run(self) -> None:
        turn = Turn(self._database.lock_file)
        stop = False
        while not stop:
            try:
                first = self._queue.get(timeout=self._patience())
            except queue.Empty:
                self._tick(turn)
                continue
            batch, stop = self._gather(first)
            if self._waiting and (stop or time.monotonic() >= self._retry_at):
                batch, self._waiting = [*self._waiting, *batch], []
            if batch:
                self._execute(batch, turn)
        self._finish(turn)
        turn.close()
        if self._connection is not None:
            self._connection.close()

    def _patience(self) -> float | None:
        """Seconds until something is to be done although nobody asks."""
        if self._waiting:
            return max(self._retry_at - time.monotonic(), 0)
        return TICK if self._memory.leases.any else None

    def _tick(self, turn: Turn) -> None:
        """Nobody asks: try what waits, look for recalls, give back what is not used."""
        waiting, self._waiting = self._waiting, []
        leases = self._memory.leases
        if waiting or leases.closed() or leases.overdue(micros(self._memory.clock.now())):
            self._execute(waiting, turn)
            return
        at = steady()
        try:
            if self._connect().rows(hot_sql.RECALLED, (self._memory.owner,)):
                self._execute([], turn)
            else:
                leases.looked(at)
        except Exception:  # the next tick tries again; until then nobody is admitted from memory
            self._undo()

    def _finish(self, turn: Turn) -> None:
        """Decide what waits and give everything back: nothing is held for a process that goes on without us."""
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            time.sleep(_AGAIN)
            self._execute(waiting, turn)
        self._memory.leases.everything()
        if self._memory.leases.closed():
            self._execute([], turn)

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

    def _execute(self, operations: Sequence[Operation], turn: Turn, tries: int = 3) -> None:
        told = committed = False
        batch: Batch | None = None
        try:
            with turn:
                connection = self._connect()
                batch = Batch(connection, self._memory)
                self._decide(batch, operations)
                early = [operation for operation in operations if operation.tells_early and not operation.waits]
                with connection.writing():
                    batch.write()
                    if not early:
                        connection.commit(durable=batch.must_be_durable)
                if early:
                    told = True
                    for operation in early:
                        operation.decided()
                    connection.commit(durable=batch.must_be_durable)
            committed = True
            if batch.must_be_durable:
                connection.sync()
        except Exception as error:  # whatever it was, every caller must hear of it and the thread must live
            if batch is not None:
                batch.lending.failed()
            self._undo()
            if committed:
                self._unsynced = True
                for operation in operations:
                    operation.failed(_perhaps_stored(error))
            elif not told and tries > 1 and _is_to_be_repeated(error):
                self._execute(operations, turn, tries - 1)
            elif len(operations) > 1 and not told and not _is_outage(error):
                # One operation that the database cannot hold must not fail the others.
                for operation in operations:
                    self._execute([operation], turn)
            else:
                for operation in operations:
                    operation.failed(as_ours(error))
            return
        batch.written()
        for operation in operations:
            if operation.waits:
                self._wait(operation)
            else:
                operation.durable()
        self._refresh_credit(batch.refreshes)

    def _decide(self, batch: Batch, operations: Sequence[Operation]) -> None:
        batch.load(
            [digest for operation in operations for digest in operation.digests()],
            [name for operation in operations for name in operation.reservations()],
        )
        for operation in operations:
            operation.apply(batch)

    def _wait(self, operation: Operation) -> None:
        if not self._waiting:
            self._retry_at = time.monotonic() + _AGAIN
        self._waiting.append(operation)

    def _refresh_credit(self, subscriptions: Iterable[str]) -> None:
        for subscription in sorted(subscriptions):
            try:
                if self._refresh is not None:
                    self._refresh(subscription)
            except Exception:
                _log.exception("the prepaid credit of %s could not be looked at", subscription)

    def _connect(self) -> HotConnection:
        if self._connection is not None and self._unsynced:
            self._connection.make_durable()
            self._unsynced = False
        if self._connection is None:
            self._connection = HotConnection(
                self._database.driver_connection(), self._database.kind, self._database.file
            )
        return self._connection

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


def _is_to_be_repeated(error: Exception) -> bool:
    """A lease that we do not hold any more (it is closed here by now), a deadlock, a serialisation failure."""
    if isinstance(error, LeaseLost) or type(error).__name__ == "DivisionByZero":
        return True
    return getattr(error, "sqlstate", None) in {"40P01", "40001"}


def _perhaps_stored(error: Exception) -> BooksUnavailable:
    return BooksUnavailable(
        f"the books were written, and the disk did not confirm it: {error}. It may have been stored; settle again",
        retry_after=1,
    )


def _is_outage(error: Exception) -> bool:
    """Whether trying the operations one by one would meet the same trouble."""
    if isinstance(error, sqlite3.OperationalError | OSError | BooksUnavailable):
        return True
    return type(error).__name__ in {"OperationalError", "AdminShutdown"} or any(
        base.__name__ == "OperationalError" for base in type(error).__mro__
    )
