"""A duty that may wait for others: it runs beside the schedule, one run at a time, and holds up no other duty."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from modelmint.bootstrap import Shop

_log = logging.getLogger("modelmint.worker")
#: Seconds that a stop waits for a run under way; what it leaves undone is found at the next start.
PATIENCE = 5.0


class Aside:
    """``turn`` starts a run unless one is under way. A run is told to end early by its second argument."""

    def __init__(self, name: str, run: Callable[[Shop, Callable[[], bool]], int]) -> None:
        self._name, self._run = name, run
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._done = 0

    def turn(self, shop: Shop) -> int:
        """How much the last run did, if it ended since the last turn."""
        if self._thread is not None and self._thread.is_alive():
            return 0
        done, self._done = self._done, 0
        self._thread = threading.Thread(target=self._once, args=(shop,), name=self._name, daemon=True)
        self._thread.start()
        return done

    def close(self) -> None:
        """Ask the run to end and wait a while."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _once(self, shop: Shop) -> None:
        try:
            self._done = self._run(shop, self._stop.is_set)
        except Exception:  # the next run may go well
            if not self._stop.is_set():
                _log.exception("duty %s failed", self._name)
