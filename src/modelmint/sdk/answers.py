"""Answers of a model in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from modelmint.kit.errors import ModelmintError
from modelmint.sdk.shown import Shown, png_image
from modelmint.sdk.types import Column, TableView
from modelmint.sdk.views.figures import count

if TYPE_CHECKING:
    from modelmint.inference.explain.types import Explanation
    from modelmint.operations.local_predict import LocalAnswer

#: Rows of many answers that are shown; all of them are there.
SHOWN = 20


@dataclass(frozen=True, repr=False)
class LocalPrediction(Shown):
    """One answer. Where the input could not be read, ``error`` says why and everything else is None."""

    #: The file's path, or the place among the inputs (``#0``).
    name: str
    label: str | None
    #: Of ``label``, calibrated on validation.
    probability: float | None
    #: True where the model says that it does not know; ``label`` is what it would have said.
    abstained: bool | None
    #: Label -> probability.
    probabilities: Mapping[str, float] | None
    error: ModelmintError | None
    explanation: Explanation | None

    def to_json(self) -> dict[str, Any]:
        """The row of ``predict --json``."""
        error = None if self.error is None else {"code": self.error.code, "message": self.error.message}
        found: dict[str, Any] = {
            "file": self.name,
            "label": self.label,
            "probability": self.probability,
            "abstained": self.abstained,
            "probabilities": None if self.probabilities is None else dict(self.probabilities),
            "error": error,
        }
        if self.explanation is not None:
            from modelmint.inference.explain.answers import present_explanation

            found["explanation"] = present_explanation(self.explanation)
        return found

    def _views(self) -> Sequence[TableView]:
        return (rows_view([self], 1),)

    def _pictures(self) -> Sequence[str]:
        if self.explanation is None or self.explanation.png is None:
            return ()
        return (png_image(self.explanation.png, f"what spoke for {self.label}", 240),)


class LocalPredictions(Shown, Sequence[LocalPrediction]):
    """Answers in the order of the inputs."""

    def __init__(self, answers: Sequence[LocalPrediction]) -> None:
        self._answers = tuple(answers)

    @overload
    def __getitem__(self, index: int) -> LocalPrediction: ...
    @overload
    def __getitem__(self, index: slice) -> LocalPredictions: ...
    def __getitem__(self, index: int | slice) -> LocalPrediction | LocalPredictions:
        found = self._answers[index]
        return found if isinstance(found, LocalPrediction) else LocalPredictions(found)

    def __len__(self) -> int:
        return len(self._answers)

    def __iter__(self) -> Iterator[LocalPrediction]:
        return iter(self._answers)

    def _views(self) -> Sequence[TableView]:
        return (rows_view(self._answers[:SHOWN], len(self)),)

    def _pictures(self) -> Sequence[str]:
        return [picture for answer in self._answers[:SHOWN] for picture in answer._pictures()]


def local_prediction(answer: LocalAnswer, labels: Sequence[str]) -> LocalPrediction:
    """An operation's answer with its labels' names."""
    found = answer.prediction
    if found is None:
        return LocalPrediction(answer.name, None, None, None, None, answer.error, None)
    shares = dict(zip(labels, found.probabilities, strict=True))
    return LocalPrediction(
        answer.name, found.label, found.probability, found.abstained, shares, None, answer.explanation
    )


def rows_view(answers: Sequence[LocalPrediction], total: int, note: str = "") -> TableView:
    """``answers``, the first of ``total``, as a table."""
    rows = tuple(
        (
            one.name,
            one.label or "",
            "" if one.probability is None else f"{one.probability:.4f}",
            one.error.code if one.error else "undecided" if one.abstained else "",
        )
        for one in answers
    )
    marks = {index: "alarm" for index, one in enumerate(answers) if one.error}
    columns = (Column("input"), Column("label"), Column("probability", True), Column(""))
    more = note or (f"The first {len(answers)} of {total}." if len(answers) < total else "")
    return TableView(count(total, "input"), columns, rows, marks, more)
