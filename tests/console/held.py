"""Calls that stay under way for as long as a test wants."""

from __future__ import annotations

from concurrent.futures import Future
from threading import Event, Thread
from typing import Any

import pytest


def held_up(host: Any, monkeypatch: pytest.MonkeyPatch, go: Event, first_fails: Exception | None = None) -> Event:
    """No call reaches the model before ``go``, the first never where it ``first_fails``; set when a call waits."""
    submit, begun, failures = host.submit, Event(), iter([first_fails])

    def late(*given: Any, **more: Any) -> Future[Any]:
        answer: Future[Any] = Future()
        failure = next(failures, None)

        def begin() -> None:
            go.wait(240)
            if failure is not None:
                answer.set_exception(failure)
            else:
                submit(*given, **more).add_done_callback(lambda made: answer.set_result(made.result()))

        begun.set()
        Thread(target=begin, daemon=True).start()
        return answer

    monkeypatch.setattr(host, "submit", late)
    return begun
