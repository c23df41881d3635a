"""Whether a compressed model still says what its parent said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modelmint.evaluation.errors import BadScores, NothingToJudge
from modelmint.kit.arrays import AnyArray, Float64Array, IntArray
from modelmint.tasks.decision import answers
from modelmint.tasks.types import DecisionRule


@dataclass(frozen=True, slots=True)
class Parity:
    """Differences between two models' probabilities over the same ``rows``; ``flips`` counts changed answers."""

    mean_difference: float
    max_difference: float
    flips: int
    rows: int = 0

    @property
    def flip_share(self) -> float:
        """Changed answers as a share of the rows."""
        return self.flips / self.rows if self.rows else 0.0


def compare(
    parent_probs: AnyArray,
    child_probs: AnyArray,
    labels: tuple[str, ...] | None = None,
    decision: DecisionRule | None = None,
) -> Parity:
    """Compare probabilities ``[n, k]`` row by row: mean and largest absolute difference, and flipped answers.

    Answers are the likeliest labels, or what ``decision`` makes of them where it and ``labels`` are given. A child
    with NaN anywhere differs by 1 and flips there. Raises ``BadScores`` on different shapes, ``NothingToJudge`` on
    none.
    """
    parent = np.asarray(parent_probs, dtype=np.float64)
    child = np.asarray(child_probs, dtype=np.float64)
    if parent.shape != child.shape or parent.ndim != 2:
        raise BadScores(f"expected two tables of one shape [n, k], found {list(parent.shape)} and {list(child.shape)}")
    if len(parent) == 0:
        raise NothingToJudge("expected at least one row to compare, found none")
    broken = ~np.isfinite(child).all(axis=1)
    difference = np.where(np.isfinite(child), np.abs(parent - np.nan_to_num(child)), 1.0)
    flips = (_answers(parent, labels, decision) != _answers(np.nan_to_num(child), labels, decision)) | broken
    return Parity(float(difference.mean()), float(difference.max()), int(flips.sum()), len(parent))


def _answers(probs: Float64Array, labels: tuple[str, ...] | None, decision: DecisionRule | None) -> IntArray:
    if labels is None or decision is None:
        return np.asarray(probs.argmax(axis=1), dtype=np.int64)
    return answers(probs, labels, decision)
