"""How well scores put the rows of one class before the others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from modelmint.kit.arrays import AnyArray, Float64Array, FloatArray, IntArray


def auroc(positive: AnyArray, scores: AnyArray) -> float | None:
    """Area under the ROC curve: the chance that a positive row scores above a negative one, ties counting half.

    ``positive`` booleans ``[n]``, ``scores`` ``[n]``. The Mann-Whitney U of mid-ranks (Hanley and McNeil 1982).
    None where one of the two kinds is absent: there is nothing to rank.
    """
    truth = np.asarray(positive, dtype=bool)
    hits = int(truth.sum())
    misses = len(truth) - hits
    if hits == 0 or misses == 0:
        return None
    _, group, counts = np.unique(np.asarray(scores), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mid_ranks = (last - counts + 1 + last) / 2.0  # exact in float64: halves of whole numbers
    rank_sum = float(mid_ranks[group[truth]].sum())
    return (rank_sum - hits * (hits + 1) / 2) / (hits * misses)


def macro_auroc(targets: IntArray, scores: Float64Array) -> float | None:
    """Mean over the labels of "this label against the rest"; ``scores`` ``[n, k]``.

    Labels without a row, or with every row, have no curve and are left out; None where none is left.
    """
    found = [auroc(targets == label, scores[:, label]) for label in range(scores.shape[1])]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if known else None


def roc_curve(positive: AnyArray, scores: AnyArray) -> tuple[Float64Array, Float64Array]:
    """False and true positive rates from (0, 0) to (1, 1), one point per distinct score, straight runs joined.

    Empty arrays where one of the two kinds is absent.
    """
    truth = np.asarray(positive, dtype=bool)
    values = np.asarray(scores, dtype=np.float64)
    hits = int(truth.sum())
    misses = len(truth) - hits
    if hits == 0 or misses == 0:
        return np.empty(0), np.empty(0)
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    true = np.cumsum(truth[order])[ends]
    false = ends + 1 - true
    true, false = np.append(0, true), np.append(0, false)
    keep = np.ones(len(true), dtype=bool)
    if len(true) > 2:  # a point on the straight line between its neighbours says nothing
        turn = np.diff(true)[:-1] * np.diff(false)[1:] - np.diff(true)[1:] * np.diff(false)[:-1]
        keep[1:-1] = turn != 0
    return false[keep] / misses, true[keep] / hits


def resampled_auroc(positive: AnyArray, scores: AnyArray) -> Callable[[FloatArray], Float64Array] | None:
    """A function from row weights ``[n, r]`` to the AUROC of each of the ``r`` weightings; None as for ``auroc``.

    Weights are whole numbers (how often a resample drew the row). Scores are sorted once; every chunk of weights
    then costs one pass. Float32 sums, exact to about six digits, which is plenty for an interval.
    """
    truth = np.asarray(positive, dtype=bool)
    values = np.asarray(scores)
    hits, misses = np.flatnonzero(truth), np.flatnonzero(~truth)
    if len(hits) == 0 or len(misses) == 0:
        return None
    misses = misses[np.argsort(values[misses], kind="stable")]
    below = np.searchsorted(values[misses], values[hits], side="left")
    upto = np.searchsorted(values[misses], values[hits], side="right")
    tied = bool((below != upto).any())
    # Only the sums of negatives up to some positive row are ever read, so whole stretches between are added at once.
    starts = np.unique(np.concatenate([[0], below, upto]))
    starts = starts[starts < len(misses)]
    below, upto = np.searchsorted(starts, below), np.searchsorted(starts, upto)

    def weighted(weights: FloatArray) -> Float64Array:
        stretches = np.add.reduceat(np.take(weights, misses, axis=0), starts, axis=0)
        reached = np.zeros((len(starts) + 1, weights.shape[1]), dtype=np.float32)
        np.cumsum(stretches, axis=0, out=reached[1:])
        won: FloatArray = np.take(reached, below, axis=0)
        if tied:
            won = (won + np.take(reached, upto, axis=0)) * np.float32(0.5)
        own = np.take(weights, hits, axis=0)
        sums = np.einsum("ir,ir->r", own, won).astype(np.float64)
        pairs = own.sum(axis=0, dtype=np.float64) * reached[-1]
        shares: Float64Array = np.divide(sums, pairs, out=np.full(len(sums), np.nan), where=pairs > 0)
        return shares

    return weighted
