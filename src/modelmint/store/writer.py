"""Group commit: one thread per process turns whatever is waiting into one transaction and one sync.

Nobody waits for a batch to fill: at low load a batch is one call, under load it is what arrived during the
last commit. A lone settlement may be done on its caller's own thread instead.
"""

from __future__ import annotations

import logging
import queue
import threading
import time

from modelmint.commerce.moments import micros
from modelmint.store.database import as_ours
from modelmint.store.errors import BooksUnavailable
from modelmint.store.leases import TICK, steady
from modelmint.store.memory import Memory
from modelmint.store.operation import Operation
from modelmint.store.settle import Release, Settle
from modelmint.store.transactions import Transactions

#: Operations in one transaction at most, so that the first does not wait for the work of too many.
LARGEST = 512
#: Seconds after which an operation that waits for another process is tried again.
_AGAIN = 0.002

_log = logging.getLogger(__name__)


class GroupWriter:
    """The thread and its queue; both start with the first operation."""

    def __init__(self, transactions: Transactions, memory: Memory) -> None:
        self._transactions = transactions
        self._memory = memory
        self._queue: queue.SimpleQueue[Operation | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._waiting: list[Operation] = []
        #: When whatever waits is tried again, monotonic seconds.
        self._retry_at = 0.0
        #: Several came at once the last time: to settle on the caller's thread would split what may share a sync.
        self._crowded = False

    def submit(self, operation: Operation) -> None:
        """Queue ``operation``; it hears of its end through its own methods."""
        if self._thread is None:
            self._start()
        self._queue.put(operation)
        if self._closed:
            self._refuse_waiting()

    def settle_here(self, operation: Settle) -> None:
        """``submit``, or do it on the caller's thread where nobody else writes."""
        alone = not self._crowded and self._queue.empty()
        if not alone or not self._transactions.settle_here(operation):
            self.submit(operation)

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
        stop = False
        while not stop:
            try:
                first = self._queue.get(timeout=self._patience())
            except queue.Empty:
                self._idle()
                continue
            batch, stop = self._gather(first)
            self._crowded = len(batch) > 1
            if self._waiting and (stop or time.monotonic() >= self._retry_at):
                batch, self._waiting = [*self._waiting, *batch], []
            if batch:
                self._execute(batch)
        self._finish()
        self._transactions.close()

    def _patience(self) -> float | None:
        """Seconds until something is to be done although nobody asks."""
        if self._waiting:
            return max(self._retry_at - time.monotonic(), 0)
        return TICK if self._memory.leases.any else None

    def _idle(self) -> None:
        try:
            self._tick()
        except Exception:  # the thread must live: everybody waits for it
            _log.exception("the books could not look for recalls; they look again")

    def _tick(self) -> None:
        """Nobody asks: try what waits, look for recalls, give back what is not used."""
        waiting, self._waiting = self._waiting, []
        leases = self._memory.leases
        if waiting or leases.has_closed or leases.overdue(micros(self._memory.clock.now())):
            self._execute(waiting)
        elif steady() - leases.looked_at > TICK / 2:  # else who settled here looked
            self._transactions.look()

    def _finish(self) -> None:
        """Decide what waits and give everything back: nothing is held for a process that goes on without us."""
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            time.sleep(_AGAIN)
            self._execute(waiting)
        self._memory.leases.everything()
        if self._memory.leases.has_closed:
            self._execute([])

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

    def _execute(self, operations: list[Operation]) -> None:
        try:
            waiting = self._transactions.run(operations)
        except Exception as error:  # a defect of ours; the thread must live, and everybody must hear of it
            _log.exception("a batch of %d operations failed", len(operations))
            for operation in operations:
                operation.failed(as_ours(error))
            return
        if waiting and not self._waiting:
            self._retry_at = time.monotonic() + _AGAIN
        self._waiting += waiting
