"""What the writer asks of every operation."""

from __future__ import annotations

from typing import Protocol

from modelmint.store.batch import Batch

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
