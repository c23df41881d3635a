"""What feedback needs stored; ``store`` implements it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from modelmint.monitoring.feedback.types import Feedback, Page, Predicted, Said, Tally


class FeedbackBooks(Protocol):
    """Append-only: a correction is a row. Comments lie beside the rows, where an erasure takes them away."""

    def predicted(self, name: str, customer: str | None = None) -> list[Predicted]:
        """The prediction of this name, or all of a call of several inputs where only the call is named.

        ``customer``: only where it is that customer's. Raises ``UnknownPrediction``, with the same words whatever the
        reason.
        """
        ...

    def add(
        self, of: Predicted, said: Said, *, answer: str | None, key: str = "", idempotency_key: str | None = None
    ) -> tuple[Feedback, bool]:
        """Store it, durably: the row, and False where it was there before.

        It was where the key was seen with the same content, or where the newest row of the prediction says the same.
        Raises ``FeedbackConflict`` where the key was seen with other content.
        """
        ...

    def page(self, customer: str | None = None, *, before: int | None = None, limit: int = 100) -> Page:
        """The newest first; ``before`` is a former page's ``next``."""
        ...

    def all(self, customer: str | None = None) -> Iterator[Feedback]:
        """In the order of their coming."""
        ...

    def tally(self, customer: str | None = None) -> list[Tally]:
        """Counts by release, model and answered label, in this order."""
        ...

    def confusion(self, customer: str | None = None) -> dict[tuple[str, str], int]:
        """(truth, answer) -> how often, of answers that are known and did not abstain."""
        ...

    def totals(self, customer: str | None = None) -> tuple[int, int, int]:
        """Rows, predictions that they are about, inputs answered by paid calls."""
        ...

    def counts(self) -> dict[tuple[str, str], int]:
        """(model, kind) -> rows ever given; kind is "truth", "up", "down" or "comment". For /metrics."""
        ...
