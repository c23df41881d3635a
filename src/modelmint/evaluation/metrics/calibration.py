"""Whether a probability of 0.8 is right eight times in ten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modelmint.kit.arrays import AnyArray, Float64Array, IntArray

#: Equal-width bins, as in Guo, Pleiss, Sun, Weinberger, On Calibration of Modern Neural Networks (2017).
BINS = 15


@dataclass(frozen=True, slots=True)
class ReliabilityBins:
    """Bins of ``(low, high]``; arrays ``[bins]``; means are 0 where a bin is empty."""

    low: Float64Array
    high: Float64Array
    confidence: Float64Array
    accuracy: Float64Array
    count: IntArray


def bin_of(confidence: Float64Array, bins: int = BINS) -> IntArray:
    """Which bin ``(i/bins, (i+1)/bins]`` each confidence falls in; 0 belongs to the first."""
    edges = np.linspace(0, 1, bins + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1).astype(np.int64)


def reliability(confidence: Float64Array, correct: AnyArray, bins: int = BINS) -> ReliabilityBins:
    """Mean confidence and accuracy per bin; ``confidence`` of the answer and ``correct`` booleans, both ``[n]``."""
    place = bin_of(confidence, bins)
    count = np.bincount(place, minlength=bins)
    below = np.maximum(count, 1)
    edges = np.linspace(0, 1, bins + 1)
    return ReliabilityBins(
        low=edges[:-1],
        high=edges[1:],
        confidence=np.bincount(place, weights=confidence, minlength=bins) / below,
        accuracy=np.bincount(place, weights=np.asarray(correct, dtype=np.float64), minlength=bins) / below,
        count=count.astype(np.int64),
    )


def ece(confidence: Float64Array, correct: AnyArray, bins: int = BINS) -> float:
    """Expected calibration error: mean over rows of ``|accuracy - confidence|`` of their bin."""
    place = bin_of(confidence, bins)
    gaps = np.bincount(place, weights=np.asarray(correct, dtype=np.float64) - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def brier_rows(targets: IntArray, probs: Float64Array) -> Float64Array:
    """Squared error per row, ``[n]``: of one of two probabilities, or summed over more than two (Brier 1950)."""
    truth = np.zeros_like(probs)
    truth[np.arange(len(targets)), targets] = 1.0
    rows: Float64Array = ((probs - truth) ** 2).sum(axis=1)
    return rows / 2 if probs.shape[1] == 2 else rows


def brier(targets: IntArray, probs: Float64Array) -> float:
    """Mean of ``brier_rows``: 0 is perfect."""
    return float(brier_rows(targets, probs).mean())


def nll_rows(targets: IntArray, log_probs: Float64Array) -> Float64Array:
    """Minus the log probability of the true label per row, ``[n]``."""
    rows: Float64Array = -log_probs[np.arange(len(targets)), targets]
    return rows


def nll(targets: IntArray, log_probs: Float64Array) -> float:
    """Mean of ``nll_rows``, in nats."""
    return float(nll_rows(targets, log_probs).mean())
