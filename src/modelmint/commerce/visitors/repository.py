"""What the trial page needs stored; ``store`` implements it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from modelmint.commerce.visitors.types import Bounds, Lead, Visitor


class Visitors(Protocol):
    """Tries are counted exactly, over all processes. What is left is personal and goes after a time."""

    def take(self, visitor: Visitor, bounds: Bounds, kind: str = "", form: str = "") -> int | None:
        """Use one try up; how many are left to this visitor. Raises ``TriesSpent``, and then none is used.

        Tries of one ``kind`` (of calls, of words left) are counted apart from those of another. A ``form`` (its digest)
        that is sent twice in a day uses one try: None the second time.
        """
        ...

    def give_back(self, visitor: Visitor, kind: str = "", form: str = "") -> None:
        """The try that was taken last came to nothing."""
        ...

    def refused(self, visitor: Visitor) -> None:
        """What this visitor sent could not be used; counted against ``Bounds.refused`` of the address."""
        ...

    def left(self, visitor: Visitor, bounds: Bounds) -> int:
        """How many calls are left to this visitor."""
        ...

    def leave(self, email: str, comment: str, *, prediction: str | None, language: str, consent: str | None) -> Lead:
        """Keep it. Raises ``BadLead``."""
        ...

    def leads(self, *, before: str | None = None, limit: int = 100) -> list[Lead]:
        """The newest first; ``before`` is the id of a former page's last."""
        ...

    def all_leads(self) -> Iterator[Lead]:
        """In the order of their coming."""
        ...

    def forget(self, wanted: str) -> int:
        """Delete one by id, or all of an e-mail address, without a trace in the files; how many.

        Raises ``UnknownLead``.
        """
        ...

    def purge(self, now: datetime, keep: timedelta) -> int:
        """Delete what was left longer ago, and counts that nobody asks for any more; how many."""
        ...
