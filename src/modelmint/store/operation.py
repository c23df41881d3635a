"""What the writer asks of every operation, and how an operation keeps its answer until it is durable."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar, cast

from modelmint.kit.errors import ModelmintError
from modelmint.store.batch import Batch

T = TypeVar("T")

#: Code of the outcome that an open reservation of a dead process gets.
RELEASED = "released"
#: Code of the outcome of an idempotent retry.
REPLAYED = "replayed"


class Operation(Protocol):
    """One request of one caller. ``apply`` reads and changes the batch or raises before it changes anything.

    ``waits`` after ``apply``: nothing is decided yet, another process was asked for something; apply it again soon.
    """

    waits: bool
    #: Whether ``decided`` tells anybody anything: then it is called before the commit.
    tells_early: bool

    def digests(self) -> list[str]:
        """Keys it needs to see."""
        ...

    def reservations(self) -> list[str]:
        """Reservations it needs to see."""
        ...

    def apply(self, batch: Batch) -> None:
        """Decide, and put what is to be written into the batch."""
        ...

    def decided(self) -> None:
        """The batch is written, not yet committed."""
        ...

    def durable(self) -> None:
        """The batch is synced to disk."""
        ...

    def failed(self, error: BaseException) -> None:
        """Nothing was stored."""
        ...


class Pending(Generic[T]):
    """A future and what it will say once the batch is durable."""

    __slots__ = ("future", "problem", "value")

    def __init__(self) -> None:
        self.future: Future[T] = Future()
        # A caller who lost interest cannot cancel it: the books go on.
        self.future.set_running_or_notify_cancel()
        self.value: T | None = None
        self.problem: ModelmintError | None = None

    def reset(self) -> None:
        """Forget; the operation is applied anew."""
        self.value = self.problem = None

    def resolve(self) -> None:
        """Tell the answer or the problem, once."""
        if self.future.done():
            return
        if self.problem is not None:
            self.future.set_exception(self.problem)
        else:
            self.future.set_result(cast("T", self.value))

    def fail(self, error: BaseException) -> None:
        """Tell that nothing was stored."""
        if not self.future.done():
            self.future.set_exception(error)


def resolved(value: T) -> Future[T]:
    """A future that says ``value`` already."""
    future: Future[T] = Future()
    future.set_result(value)
    return future


#: What has been done already.
DONE: Future[None] = resolved(None)
