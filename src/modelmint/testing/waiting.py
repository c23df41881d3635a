"""Waiting for what another thread or process is about to do."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(
    holds: Callable[[], object], seconds: float = 60, otherwise: Callable[[], str] = lambda: "it never came to hold"
) -> None:
    """Return as soon as ``holds`` says yes; ``AssertionError`` with what ``otherwise`` tells after ``seconds``.

    Only a hang should take so long: a slow machine may need many times what a quiet one does.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise())
        time.sleep(0.01)
