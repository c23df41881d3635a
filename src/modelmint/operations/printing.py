"""Printing documents as PDF, one at a time: each takes a second of a core, and other requests must not wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from modelmint.commerce.documents.invoice_pdf import paper_pdf
from modelmint.commerce.documents.types import Paper
from modelmint.kit.errors import Unavailable

#: Documents of one process that may wait or be under way; each is done within about a second.
MOST_WAITING = 8


class PrinterBusy(Unavailable):
    """So many documents wait to be printed that another one would come too late."""

    code = "printer_busy"
    status = 503


class Printer:
    """A thread of its own for the process's documents, and a short queue before it."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most, self._waiting, self._lock = most, 0, threading.Lock()
        self._thread = ThreadPoolExecutor(1, "modelmint-printer")

    def print(self, paper: Paper, language: str) -> Future[bytes]:
        """The document, some time later, with what ``paper_pdf`` raises; at once ``PrinterBusy``."""
        return self.run(lambda: paper_pdf(paper, language))

    def run(self, make: Callable[[], bytes]) -> Future[bytes]:
        """What ``make`` gives or raises, in turn with the documents that wait; at once ``PrinterBusy``."""
        with self._lock:
            if self._waiting >= self._most:
                raise PrinterBusy(
                    f"{self._waiting} documents wait to be printed already; ask again in a few seconds, or for "
                    "format=html, which needs no printing",
                    retry_after=self._waiting,
                )
            self._waiting += 1
        future = self._thread.submit(make)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: Future[bytes]) -> None:
        with self._lock:
            self._waiting -= 1
