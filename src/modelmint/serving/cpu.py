"""CPU time of a piece of work that runs on the calling thread and on an engine's own threads."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

_TASKS = Path("/proc/self/task")


def native_threads() -> frozenset[int]:
    """Kernel ids of this process's threads; empty where the system does not tell."""
    try:
        return frozenset(int(entry.name) for entry in _TASKS.iterdir())
    except OSError:
        return frozenset()


def _clock_of(thread: int) -> int:
    # Linux encodes the CPU clock of a thread of this process in the clock id itself
    # (linux/posix-timers.h: CPUCLOCK_SCHED | CPUCLOCK_PERTHREAD_MASK around the inverted thread id).
    return (~thread << 3) | 6


class WorkClock:
    """Reads CPU seconds of the calling thread plus ``helpers``, the threads that an engine started for itself.

    Exact on Linux. Elsewhere only the calling thread is seen, times ``threads``: an engine's threads
    share a batch equally and the caller is one of them.
    """

    def __init__(self, helpers: frozenset[int], threads: int) -> None:
        self._helpers = tuple(_clock_of(thread) for thread in sorted(helpers))
        self._factor = 1 if self._helpers or sys.platform == "linux" else threads

    def now(self) -> float:
        """CPU seconds so far; only differences mean something."""
        total = time.thread_time() * self._factor
        for clock in self._helpers:
            try:
                total += time.clock_gettime(clock)
            except OSError:  # the engine ended this thread
                continue
        return total


def new_helpers(before: frozenset[int]) -> frozenset[int]:
    """Threads that came since ``before`` and are not Python's own."""
    ours = {thread.native_id for thread in threading.enumerate()}
    return native_threads() - before - frozenset(identity for identity in ours if identity is not None)
