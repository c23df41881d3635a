"""The nouns of feedback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from modelmint.kit.estimate import Estimate

UP, DOWN = "up", "down"
THUMBS = (UP, DOWN)
#: Characters of a comment.
LONGEST_COMMENT = 2000


@dataclass(frozen=True, slots=True)
class Predicted:
    """A prediction as the books know it: whose, by what, and what was answered as far as the row says."""

    #: ``prd_...``, with ``.N`` where the call had several inputs.
    name: str
    customer: str
    model: str
    release: str
    variant: str
    at: datetime
    #: Place of the answered label among the release's labels; None where the row does not say.
    label: int | None
    probability: float | None
    abstained: bool | None


@dataclass(frozen=True, slots=True)
class Said:
    """What a customer says of a prediction: a truth, thumbs, or both, and why."""

    truth: str | None = None
    thumbs: str | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """One row; a later one for the same prediction corrects it."""

    id: str
    seq: int
    customer: str
    #: Key that it came with, "" where it came through a page.
    key: str
    prediction: str
    model: str
    release: str
    variant: str
    #: The label that was answered, None where that is not known.
    answer: str | None
    probability: float | None
    abstained: bool | None
    truth: str | None
    thumbs: str | None
    #: Empty too where it was erased.
    comment: str
    at: datetime
    #: Whether no later row of the same prediction corrects it.
    newest: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Some feedback, the newest first. ``next`` is what to ask for ``before`` with, None on the last page."""

    rows: tuple[Feedback, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one release, model and answered label ("" where unknown): of each prediction what was said last."""

    release: str
    model: str
    label: str
    #: Truths known of answers that are known and did not abstain, and how many of them equal the answer.
    truths: int
    agreeing: int
    #: Truths of predictions that abstained.
    abstained: int
    #: Truths where what was answered is not known.
    unknown: int
    up: int
    down: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What all feedback comes to."""

    #: Rows ever given, corrections included, and predictions that they are about.
    rows: int
    predictions: int
    #: Inputs answered by all paid calls so far: how small a part the feedback speaks of.
    answered: int
    agreement: Estimate
    thumbs_up: Estimate
    abstained: int
    unknown: int
    #: By (release, model), then by answered label.
    by_release: tuple[Part, ...]
    by_label: tuple[Part, ...]
    #: Truth -> answer -> how often.
    confusion: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Part:
    """The share of truths that equal the answer, and of thumbs that point up, of a part of the feedback."""

    release: str
    model: str
    #: None for all labels together.
    label: str | None
    agreement: Estimate
    thumbs_up: Estimate
