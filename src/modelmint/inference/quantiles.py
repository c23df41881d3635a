"""Quantiles of a timing with intervals that hold whatever the distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from modelmint.kit.arrays import Float64Array
from modelmint.kit.estimate import Estimate

_Z95 = 1.959963984540054
_RESAMPLES = 200


def quantile(samples: Sequence[float], q: float) -> Estimate:
    """The ``q``-quantile of independent ``samples`` with its 95 % interval between two order statistics.

    The number of samples below the true quantile is binomial(n, q), whatever their distribution, so the samples
    of rank ``nq -/+ 1.96 sqrt(nq(1-q))`` enclose it (Conover, Practical Nonparametric Statistics, 3.2).
    """
    ordered = np.sort(np.asarray(samples, dtype=np.float64))
    n = len(ordered)
    if n == 0:
        raise ValueError("expected at least one sample")
    spread = _Z95 * math.sqrt(n * q * (1 - q))
    low = min(max(math.floor(n * q - spread), 1), n)
    high = min(max(math.ceil(n * q + spread) + 1, 1), n)
    value = float(np.quantile(ordered, q))
    return Estimate(value, min(float(ordered[low - 1]), value), max(float(ordered[high - 1]), value), n)


def block_quantile(blocks: Sequence[Sequence[float]], q: float, seed: int = 0) -> Estimate:
    """The ``q``-quantile over all samples of equally long ``blocks``, with a 95 % interval over whole blocks.

    Calls of one block follow each other within milliseconds and resemble each other; counted as independent they
    would give an interval far too narrow. So blocks are resampled, not calls (the cluster bootstrap; Davison and
    Hinkley, Bootstrap Methods and their Application, 3.8), percentiles of 200 seeded resamples. ``n`` counts
    samples. A p99 from under about 400 samples can hardly lie above the largest one seen: read ``high`` as
    "at least".
    """
    table: Float64Array = np.asarray(blocks, dtype=np.float64)
    if table.ndim != 2 or table.size == 0:
        raise ValueError("expected at least one block, all of one length, at least one sample each")
    value = float(np.quantile(table, q))
    drawn = np.random.default_rng(seed).integers(0, len(table), size=(_RESAMPLES, len(table)))
    found = [float(np.quantile(table[rows], q)) for rows in drawn]
    low, high = np.quantile(found, (0.025, 0.975))
    return Estimate(value, min(float(low), value), max(float(high), value), table.size)
