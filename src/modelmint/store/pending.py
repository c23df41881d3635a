"""A future of the hot path: made for every call, so it is a quarter of the price of the library's own.

It is a ``concurrent.futures.Future`` to all who wait for it, with three differences: nobody can cancel it, what it will
say may be noted before it is said, and ``concurrent.futures.wait`` and ``as_completed`` do not know it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock
from typing import Any, TypeVar, cast

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Pending(Future[T]):
    """A future and what it will say once the batch is durable.

    ``_heard`` holds who is to hear of it. Appending to a list and popping from it are atomic, and everybody looks
    for ``_done`` after appending, so each is told exactly once, by whoever comes last.
    """

    def __init__(self) -> None:  # the library's own __init__ makes what is not needed here
        self.value: T | None = None
        self.problem: BaseException | None = None
        self._done = False
        self._heard: list[Any] = []

    def reset(self) -> None:
        """Forget; the operation is applied anew."""
        self.value = self.problem = None

    def resolve(self) -> None:
        """Tell the answer or the problem, once."""
        if not self._done:
            self._done = True
            if self._heard:
                self._tell()

    def fail(self, error: BaseException) -> None:
        """Tell that nothing was stored."""
        if not self._done:
            self.value, self.problem = None, error
            self.resolve()

    def _tell(self) -> None:
        heard = self._heard
        while heard:
            try:
                one = heard.pop(0)
            except IndexError:  # another thread was quicker
                return
            if isinstance(one, _LOCK):
                one.release()
            else:
                self._call(one)

    def _call(self, fn: Callable[[Future[T]], object]) -> None:
        try:
            fn(self)
        except Exception:
            _log.exception("exception calling callback for %r", self)

    # what a future can do
    def result(self, timeout: float | None = None) -> T:
        if not self._done:
            self._wait(timeout)
        if self.problem is not None:
            raise self.problem
        return cast("T", self.value)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        if not self._done:
            self._wait(timeout)
        return self.problem

    def _wait(self, timeout: float | None) -> None:
        turn = Lock()
        turn.acquire()
        self._heard.append(turn)
        if self._done:
            self._tell()
        if not turn.acquire(timeout=-1 if timeout is None else max(timeout, 0)):
            with suppress(ValueError):
                self._heard.remove(turn)
            raise TimeoutError

    def add_done_callback(self, fn: Callable[[Future[T]], object]) -> None:
        if self._done:
            self._call(fn)
            return
        self._heard.append(fn)
        if self.done():  # meanwhile
            self._tell()

    def done(self) -> bool:
        return self._done

    def running(self) -> bool:
        return not self._done

    def cancel(self) -> bool:
        """A caller who lost interest cannot cancel it: the books go on."""
        return False

    def cancelled(self) -> bool:
        return False

    def set_running_or_notify_cancel(self) -> bool:
        return True

    def set_result(self, result: T) -> None:
        self.value = result
        self.resolve()

    def set_exception(self, exception: BaseException | None) -> None:
        self.problem = exception
        self.resolve()

    def __repr__(self) -> str:
        return f"<Pending {'done' if self._done else 'open'}>"


_LOCK = type(Lock())


def resolved(value: T) -> Pending[T]:
    """A future that says ``value`` already."""
    future: Pending[T] = Pending()
    future.value = value
    future._done = True
    return future


#: What has been done already.
DONE: Pending[None] = resolved(None)
