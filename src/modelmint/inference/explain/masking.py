"""Whether explanations tell the truth: painting out what they call hot must hurt more than painting out anything.

The deletion test of Samek et al. 2017, "Evaluating the Visualization of What a Deep Neural Network Has Learned", at
one point: a tenth of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modelmint.inference.explain.explain import Runs
from modelmint.inference.explain.regions import cells, grid_of, painted
from modelmint.kit.arrays import AnyArray, Float64Array
from modelmint.kit.estimate import Estimate
from modelmint.tasks.decision import log_odds
from modelmint.tasks.registry import TASKS
from modelmint.tasks.types import ModelSpec

#: Share of the picture that is painted out.
SHARE = 0.1
#: Random masks per picture, averaged.
DRAWS = 4
_RESAMPLES = 2000
_ROWS = 32


@dataclass(frozen=True, slots=True)
class Masking:
    """By how much the log odds of the explained label fall, mean over pictures with 95 % interval."""

    #: Where the hottest tenth of the picture is painted out,
    hottest: Estimate
    #: where a random tenth is,
    random: Estimate
    #: and by how much more in the first case, picture by picture.
    difference: Estimate
    #: Share of the picture that was painted out: whole cells of the grid.
    share: float


def masking_test(
    engine: Runs,
    rows: AnyArray,
    logits: AnyArray,
    labels: Sequence[int],
    heats: Sequence[AnyArray],
    spec: ModelSpec,
    *,
    seed: int = 0,
) -> Masking:
    """Paint the hottest tenth of every picture out, then random tenths, and compare.

    ``rows`` are encoded inputs ``[n, ...]``, ``logits [n, labels]`` the answers to them, ``labels`` the explained
    ones, ``heats`` their maps. A tenth is five of the 49 cells of a 7 x 7 grid; a finer map is averaged within
    cells. Runs five rows per picture, ``ceil(cells / 10)`` cells each; the same ``seed`` draws the same cells.
    """
    if len(rows) == 0:
        raise ValueError("expected at least one picture")
    task = TASKS.get(spec.task)
    height, width = task.planes(rows[:1], spec.settings).shape[2:]
    grid = grid_of(height, width)
    parts = cells(height, width, grid)
    count = max(1, round(SHARE * len(parts)))
    generator = np.random.default_rng(seed)
    hottest, chance = [], []
    for row, answer, label, heat in zip(rows, logits, labels, heats, strict=True):
        order = np.argsort(-_pooled(heat, grid).reshape(-1), kind="stable")
        chosen = [order[:count], *(generator.permutation(len(parts))[:count] for _ in range(DRAWS))]
        masks = np.stack([parts[cell].any(axis=0) for cell in chosen])
        found = log_odds(engine.run(painted(row, masks, task, spec.settings)), label)
        fall = log_odds(answer[None], label)[0] - found
        hottest.append(fall[0])
        chance.append(fall[1:].mean())
    hot, cold = np.asarray(hottest), np.asarray(chance)
    return Masking(mean_of(hot), mean_of(cold), mean_of(hot - cold), round(count / len(parts), 4))


def mean_of(values: Float64Array, seed: int = 0) -> Estimate:
    """The mean of independent values with its 95 % interval: percentiles of 2,000 seeded resamples (Efron 1979)."""
    n = len(values)
    generator = np.random.default_rng(seed)
    means = [float(values[generator.integers(0, n, n)].mean()) for _ in range(_RESAMPLES)]
    low, high = np.quantile(means, (0.025, 0.975))
    mean = float(values.mean())
    return Estimate(mean, min(float(low), mean), max(float(high), mean), n)


def _pooled(heat: AnyArray, grid: tuple[int, int]) -> Float64Array:
    """``heat [h, w]`` averaged within the cells of ``grid``; a coarser one is repeated."""
    rows, columns = grid
    height, width = heat.shape
    tall, wide = _shares(height, rows), _shares(width, columns)
    result: Float64Array = tall @ np.asarray(heat, dtype=np.float64) @ wide.T
    return result


def _shares(length: int, parts: int) -> Float64Array:
    """How much of each of ``parts`` equal spans lies in each of ``length`` equal cells, ``[parts, length]``."""
    starts, ends = np.arange(parts) / parts, np.arange(1, parts + 1) / parts
    low, high = np.arange(length) / length, np.arange(1, length + 1) / length
    overlap = np.minimum(ends[:, None], high[None]) - np.maximum(starts[:, None], low[None])
    shares: Float64Array = np.clip(overlap, 0, None) * parts
    return shares
