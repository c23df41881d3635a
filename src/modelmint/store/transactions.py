"""One batch of operations as one transaction and one sync, on whatever thread; one batch at a time.

Decisions are told before the commit, so that the engine works while the disk does.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from modelmint.store import express, express_sql, hot_sql
from modelmint.store.batch import Batch
from modelmint.store.database import Database, as_ours
from modelmint.store.errors import BooksUnavailable
from modelmint.store.hot_sql import HotConnection
from modelmint.store.leases import steady
from modelmint.store.lending import LeaseLost
from modelmint.store.memory import Memory
from modelmint.store.operation import Operation
from modelmint.store.settle import Settle
from modelmint.store.turn import Turn

#: Looks at the prepaid credit of a subscription.
Refresh = Callable[[str], None]

_log = logging.getLogger(__name__)


class Transactions:
    """The connection of the hot path. ``refresh`` looks at prepaid credit, in a transaction of its own."""

    def __init__(self, database: Database, memory: Memory, refresh: Refresh | None = None) -> None:
        self._database = database
        self._memory = memory
        self._refresh = refresh
        #: Held by who works on a batch; and whether the writer's thread, which works for many, waits for it.
        self._work = threading.Lock()
        self._wanted = False
        self._turn: Turn | None = None
        self._connection: HotConnection | None = None
        self._closed = False
        #: The last sync failed: nobody is served until what is committed is known to be on the disk.
        self._unsynced = False

    def run(self, operations: Sequence[Operation]) -> list[Operation]:
        """Do all; those that wait for another process, to be tried again soon."""
        self._wanted = True
        with self._work:
            self._wanted = False
            self._execute(operations)
        return [operation for operation in operations if operation.waits]

    def settle_here(self, operation: Settle) -> bool:
        """Settle on the caller's thread; False, and nothing done, where that would wait for others or has to read.

        A caller who waits for nothing else saves two changes of thread, which cost as much as half a sync.
        """
        if self._wanted or not self._work.acquire(blocking=False):
            return False
        try:
            return not self._closed and self._express([operation], patient=False)
        finally:
            self._work.release()

    def look(self) -> None:
        """See whether anything of ours is recalled, and give it back."""
        leases, at = self._memory.leases, steady()
        with self._work:
            try:
                if not self._connect().rows(hot_sql.RECALLED, (self._memory.owner,)):
                    leases.looked(at)
                    return
            except Exception:  # the next look tries again; until then nobody is admitted from memory
                self._undo()
                return
            self._execute([])

    def close(self) -> None:
        """Close the connection."""
        with self._work:
            self._closed = True
            if self._turn is not None:
                self._turn.close()
            if self._connection is not None:
                self._connection.close()

    def _execute(self, operations: Sequence[Operation], tries: int = 3) -> None:
        if operations and self._express(operations):
            return
        told = committed = False
        batch: Batch | None = None
        try:
            with self._my_turn():
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
            lost = not self._undo() and batch is not None
            if committed:
                self._unsynced = True
                _fail(operations, _perhaps_stored(f"the disk did not confirm it: {error}"))
            elif not told and tries > 1 and _is_to_be_repeated(error):
                self._execute(operations, tries - 1)
            elif len(operations) > 1 and not told and not _is_outage(error):
                # One operation that the database cannot hold must not fail the others.
                for operation in operations:
                    self._execute([operation])
            else:
                _fail(operations, _perhaps_stored(f"the connection broke: {error}") if lost else as_ours(error))
            return
        batch.written()
        for operation in operations:
            if not operation.waits:
                operation.durable()
        self._refresh_credit(batch.refreshes)

    def _express(self, operations: Sequence[Operation], *, patient: bool = True) -> bool:
        """Settle calls on leases, which needs no reading; False where the whole path is needed."""
        if self._connection is not None and self._connection.settles is False:
            return False
        batch, committed = None, False
        try:
            batch = express.prepare(operations, self._memory)
            turn = None if batch is None else self._my_turn()
            if batch is None or turn is None or not turn.take(patient=patient):
                return False
            try:
                connection = self._connect()
                if not express_sql.write(connection, batch, patient=patient):
                    return False
            finally:
                turn.give_back()
            committed = True
            connection.sync()
            batch.written()
        except BaseException as error:  # Ctrl-C comes to the caller's thread, which must not keep the transaction open
            if batch is not None:
                batch.failed()
            self._undo()
            if committed:
                self._unsynced = True
                _fail(operations, _perhaps_stored(f"the disk did not confirm it: {error}"))
            elif _is_lock_timeout(error):  # to wait as long once more would help nobody
                _fail(operations, error)
                return True
            if not isinstance(error, Exception):
                raise
            return committed  # else the whole path looks at what the database kept
        for operation in operations:
            operation.durable()
        return True

    def _decide(self, batch: Batch, operations: Sequence[Operation]) -> None:
        batch.load(
            [digest for operation in operations for digest in operation.digests()],
            [name for operation in operations for name in operation.reservations()],
        )
        for operation in operations:
            operation.apply(batch)

    def _refresh_credit(self, subscriptions: Iterable[str]) -> None:
        for subscription in sorted(subscriptions):
            try:
                if self._refresh is not None:
                    self._refresh(subscription)
            except Exception:
                _log.exception("the prepaid credit of %s could not be looked at", subscription)

    def _my_turn(self) -> Turn:
        if self._turn is None:
            self._turn = Turn(self._database.lock_file)
        return self._turn

    def _connect(self) -> HotConnection:
        if self._connection is not None and self._unsynced:
            self._connection.make_durable()
            self._unsynced = False
        if self._connection is None:
            self._connection = HotConnection(
                self._database.driver_connection(), self._database.kind, self._database.file
            )
        return self._connection

    def _undo(self) -> bool:
        """Roll back, or drop a connection that cannot; whether nothing is stored for certain."""
        connection = self._connection
        if connection is None:
            return True
        try:
            connection.rollback()
            broken = connection.broken
        except Exception:
            broken = True
        if broken:
            self._connection = None
            with suppress(Exception):
                connection.close()
        return not broken


def _fail(operations: Sequence[Operation], error: BaseException) -> None:
    for operation in operations:
        operation.failed(error)


def _perhaps_stored(why: str) -> BooksUnavailable:
    return BooksUnavailable(
        f"the books were written, and {why.rstrip('. ')}. It may have been stored; settle again", retry_after=1
    )


def _is_to_be_repeated(error: Exception) -> bool:
    """A lease that we do not hold any more (it is closed here by now), a deadlock, a serialisation failure."""
    if isinstance(error, LeaseLost) or type(error).__name__ == "DivisionByZero":
        return True
    return getattr(error, "sqlstate", None) in {"40P01", "40001"}


def _is_lock_timeout(error: BaseException) -> bool:
    """Whether PostgreSQL gave up waiting for another transaction."""
    return getattr(error, "sqlstate", None) == "55P03"


def _is_outage(error: Exception) -> bool:
    """Whether trying the operations one by one would meet the same trouble."""
    if isinstance(error, sqlite3.OperationalError | OSError | BooksUnavailable):
        return True
    return type(error).__name__ in {"OperationalError", "AdminShutdown"} or any(
        base.__name__ == "OperationalError" for base in type(error).__mro__
    )
