"""The decision rule, fitted on validation only: temperature, threshold, abstain band."""

from __future__ import annotations

import math

import numpy as np

from modelmint.evaluation.checks import check_scores
from modelmint.evaluation.errors import BadScores
from modelmint.kit.arrays import AnyArray, Float64Array, IntArray
from modelmint.tasks.decision import probabilities
from modelmint.tasks.types import DecisionRule

#: No temperature lies outside these; logits on a larger scale than usual may need as much as twice their span.
_COLDEST, _HOTTEST = 0.05, 20.0
#: Log odds beyond these are probabilities that round to 0 or 1; no threshold can tell them apart.
_TOLD_APART = (-700.0, 30.0)


def fit_decision(
    targets: AnyArray, logits: AnyArray, labels: tuple[str, ...], positive: str | None, abstain: float
) -> DecisionRule:
    """Fit the whole rule on validation ``targets`` ``[n]`` and ``logits`` ``[n, k]``.

    Temperature by likelihood; with a ``positive`` label of two, the threshold on its probability with the best
    balanced accuracy (Youden 1950); then the ``abstain`` share (0 to 0.5) of rows that were the least certain sets the
    band in which answers are left open. Raises ``NothingToJudge`` or ``BadScores``.
    """
    truth, table = check_scores(targets, logits, labels)
    if positive is not None and positive not in labels:
        raise BadScores(f"positive: expected one of {', '.join(labels)}; found {positive!r}")
    if not 0 <= abstain <= 0.5:
        raise BadScores(f"abstain: expected a share from 0 to 0.5, found {abstain}")
    temperature = fit_temperature(truth, table)
    if positive is None or len(labels) != 2:
        surest = probabilities(table, temperature).max(axis=1)
        return DecisionRule(temperature, positive, min_probability=_floor_for_share(surest, abstain))
    index = labels.index(positive)
    log_odds = np.clip((table[:, index] - table[:, 1 - index]) / temperature, *_TOLD_APART)
    cut = fit_threshold(truth == index, log_odds)
    low, high = _band(log_odds, probabilities(table, temperature)[:, index], cut, abstain)
    return DecisionRule(temperature, positive, _sigmoid(cut), low, high)


def fit_temperature(targets: IntArray, logits: Float64Array) -> float:
    """The temperature with the least negative log likelihood (Guo et al. 2017).

    It lies between 0.05 and 20, or twice the largest distance between two logits where that is more.
    In ``b = 1 / T`` the loss is convex, so Newton's method, kept inside a shrinking bracket, finds its one minimum.
    Where every row is already right the likelihood only grows with sharpness and has no maximum; the truth is then
    taken to hold with probability ``1 - 1/(n+2)``, the rule of succession (as in Platt 1999), which has one.
    """
    n, k = logits.shape
    centred = logits - logits.max(axis=1, keepdims=True)
    belief = np.zeros((n, k))
    belief[np.arange(n), targets] = 1.0
    if bool((centred[np.arange(n), targets] >= 0).all()):
        doubt = 1 / (n + 2)
        belief = belief * (1 - doubt) + (1 - belief) * (doubt / (k - 1))
    wanted = float((belief * centred).sum()) / n

    def slope(b: float) -> tuple[float, float]:
        powers = np.exp(centred * b)
        powers /= powers.sum(axis=1, keepdims=True)
        mean = (powers * centred).sum(axis=1)
        spread = (powers * centred**2).sum(axis=1) - mean**2
        return float(mean.mean()) - wanted, float(spread.mean())

    hottest = max(_HOTTEST, 2 * float(-centred.min()))
    low, high = 1 / hottest, 1 / _COLDEST
    if not float(np.ptp(centred)) > 0:
        return 1.0  # constant logits: every temperature says the same
    if slope(low)[0] >= 0:
        return hottest
    if slope(high)[0] <= 0:
        return _COLDEST
    b = 1.0
    for _ in range(100):
        rise, bend = slope(b)
        low, high = (b, high) if rise < 0 else (low, b)
        step = b - rise / bend if bend > 0 else math.inf
        following = step if low < step < high else math.sqrt(low * high)
        if abs(following - b) <= 1e-12 * b:
            break
        b = following
    return 1 / b


def fit_threshold(positive: AnyArray, scores: AnyArray) -> float:
    """The cut on ``scores`` ``[n]`` (positive at or above it) with the greatest sensitivity + specificity.

    Cuts lie midway between neighbouring scores; of equally good ones the widest gap wins, since it stands the
    furthest from any row. 0 (even odds) where only one kind of row is there.
    """
    truth = np.asarray(positive, dtype=bool)
    values = np.asarray(scores, dtype=np.float64)
    hits = int(truth.sum())
    misses = len(truth) - hits
    if hits == 0 or misses == 0:
        return 0.0
    levels, group = np.unique(values, return_inverse=True)
    if len(levels) == 1:
        return 0.0
    above_hits = hits - np.cumsum(np.bincount(group, weights=truth))[:-1]
    below_misses = np.cumsum(np.bincount(group, weights=~truth))[:-1]
    # Compared as whole numbers, so that equally good cuts are equal: sens + spec = (a / hits) + (b / misses).
    gain = np.rint(above_hits * misses + below_misses * hits)
    best = np.flatnonzero(gain == gain.max())
    gaps = levels[best + 1] - levels[best]
    chosen = best[int(gaps.argmax())]
    return float((levels[chosen] + levels[chosen + 1]) / 2)


def _band(
    log_odds: Float64Array, probs: Float64Array, cut: float, share: float
) -> tuple[float, float] | tuple[None, None]:
    """Probabilities around ``cut``, equally far from it in log odds, between which at most ``share`` of rows lie."""
    distances = np.sort(np.abs(log_odds - cut))
    most = count = _at_most(share, len(distances))
    while count > 0:
        reach = _between(distances, count)
        low, high = _sigmoid(cut - reach), _sigmoid(cut + reach)
        # Checked on the probabilities themselves: ties, and neighbours that round to one, are answered together.
        if int(((probs >= low) & (probs <= high)).sum()) <= most:
            return low, high
        count = int(np.searchsorted(distances, distances[count - 1]))
    return None, None


def _floor_for_share(surest: Float64Array, share: float) -> float | None:
    """The probability below which at most ``share`` of the rows are sure of their answer; None for no row."""
    ordered = np.sort(surest)
    count = int(np.searchsorted(ordered, ordered[_at_most(share, len(ordered))]))  # ties are answered together
    return _between(ordered, count) if count else None


def _at_most(share: float, rows: int) -> int:
    return math.floor(share * rows + 1e-9)


def _between(ordered: Float64Array, count: int) -> float:
    """Midway between the last of the first ``count`` values and the next one."""
    return float((ordered[count - 1] + ordered[min(count, len(ordered) - 1)]) / 2)


def _sigmoid(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds)) if log_odds >= 0 else math.exp(log_odds) / (1 + math.exp(log_odds))
