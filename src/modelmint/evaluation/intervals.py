"""Confidence intervals: Wilson's for plain shares, the stratified percentile bootstrap for everything else.

Why stratified: resamples are drawn within each true label, so every resample has the class sizes of the split. No
class can be missing (AUROC is always defined), and the interval speaks of the class mix at hand, as ``pROC`` does
by default (Robin et al. 2011).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from modelmint.kit.arrays import AnyArray, Float64Array, FloatArray, IntArray
from modelmint.kit.estimate import Estimate

_Z95 = 1.959963984540054
#: Numbers in one chunk of weights: about 1 MB, which stays in a processor's cache.
_CHUNK = 300_000


def wilson(hits: float, n: int) -> Estimate:
    """The share ``hits / n`` with Wilson's 95 % score interval (1927); [0, 1] where n is 0.

    Unlike the bootstrap it says something sensible about 0 of n and n of n.
    """
    if n == 0:
        return Estimate(0.0, 0.0, 1.0, 0)
    share = hits / n
    z2 = _Z95 * _Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Estimate(share, _round(max(0.0, min(centre - half, share))), _round(min(1.0, max(centre + half, share))), n)


def resample_weights(strata: IntArray, resamples: int, seed: int) -> Iterator[FloatArray]:
    """How often each row is drawn in each resample, as chunks ``[n, r]`` of float32 whole numbers.

    Drawn with replacement within each stratum; the same seed gives the same draws.
    """
    rng = np.random.default_rng(seed)
    n = len(strata)
    groups = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    width = max(1, min(resamples, _CHUNK // max(n, 1)))
    for start in range(0, resamples, width):
        r = min(width, resamples - start)
        weights = np.empty((n, r), dtype=np.float32)
        for rows in groups:
            drawn = rng.integers(0, len(rows), size=(len(rows), r), dtype=np.int64)
            drawn *= r
            drawn += np.arange(r)
            weights[rows] = np.bincount(drawn.ravel(), minlength=len(rows) * r).reshape(len(rows), r)
        yield weights


def group_sums(
    groups: IntArray, count: int, values: AnyArray | None = None, rows: AnyArray | None = None
) -> Callable[[FloatArray], Float64Array]:
    """A function from weights ``[n, r]`` to the weighted sums of ``values`` (1 by default) by group, ``[count, r]``.

    ``groups`` ``[n]`` numbers each row's group from 0; only ``rows`` (indices) take part where given. Passes over
    the rows instead of a matrix product: many groups cost no more than one, and no threads of a matrix library
    fight over the cores with whatever else runs.
    """
    taking = np.arange(len(groups)) if rows is None else np.asarray(rows)
    order = taking[np.argsort(groups[taking], kind="stable")]
    present, starts = np.unique(groups[order], return_index=True)
    scale = None if values is None else np.asarray(values, dtype=np.float32)[order][:, None]

    def summed(weights: FloatArray) -> Float64Array:
        sums = np.zeros((count, weights.shape[1]))
        if len(order):
            taken = np.take(weights, order, axis=0)
            if scale is not None:
                taken *= scale
            sums[present] = np.add.reduceat(taken, starts, axis=0)
        return sums

    return summed


def percentile(value: float, draws: AnyArray, n: int, *, centred: bool = False, counted: int | None = None) -> Estimate:
    """``value`` with the 2.5 % and 97.5 % points of its resampled ``draws``; it always lies inside its interval.

    ``centred`` moves the draws so that their median is ``value``: for ECE, which resampling itself raises because it
    adds noise to every bin. ``counted``, for metrics in [0, 1], is how many rows the value rests on: where all draws
    agree (perfect scores, a single row) the bootstrap knows nothing, and Wilson's interval for that many rows is
    given instead, which is cautious.
    """
    found = np.asarray(draws, dtype=np.float64)
    found = found[np.isfinite(found)]
    if len(found) == 0:
        return Estimate(value, value, value, n)
    if counted is not None and float(np.ptp(found)) < 1e-6:
        bounds = wilson(value * counted, counted)
        return Estimate(value, min(bounds.low, value), max(bounds.high, value), n)
    low, middle, high = np.quantile(found, (0.025, 0.5, 0.975))
    if centred:
        low, high = max(0.0, low + value - middle), high + value - middle
    return Estimate(value, min(_round(low), value), max(_round(high), value), n)


def _round(bound: float) -> float:
    """Six decimals: the resampled sums are float32."""
    return round(float(bound), 6)
