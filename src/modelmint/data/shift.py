"""Whether validation and test pictures are like the training pictures.

Of every split: brightness, contrast, size, shares of the labels. Between train and each other split: how far these lie
apart, and a domain classifier (Lopez-Paz & Oquab 2017, *Revisiting classifier two-sample tests*): a linear one that is
asked which split a picture comes from. Its area under the curve on rows it was not fitted on is 0.5 where the splits
are alike; 1 where one look tells them apart.

The test split is the judge's. Here its pictures are described while all rows are decoded to be frozen, and its labels
are counted as the card counts them; no model, threshold or row is chosen by what is found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelmint.data.inspect import Looked
from modelmint.data.perceptual import coefficients, pixels_of
from modelmint.data.types import SPLITS, Finding, Split
from modelmint.kit.arrays import Float64Array, IntArray
from modelmint.kit.canonical import plain
from modelmint.kit.estimate import Estimate

KIND = "split_shift"
_Z95 = 1.959964
_FOLDS = 5
#: Rows of one split that the classifier sees, by the order of their digests.
_MOST_ROWS = 3000
_LEAST_ROWS = 20
#: What counts as clear, at the near end of the interval: area under the curve, difference of a label's share.
CLEAR_AUC, CLEAR_SHARE = 0.6, 0.05
_STATISTICS = ("brightness", "contrast", "width", "height")


def shift(rows: Sequence[tuple[Looked, Split]], labels: Sequence[str]) -> dict[str, Any]:
    """Plain JSON: ``splits`` described, ``against_train`` for val and test, with intervals and n."""
    parts = {split: [looked for looked, found in rows if found == split] for split in SPLITS}
    values = {split: _values(part) for split, part in parts.items()}
    found = {split: _described(parts[split], values[split], labels) for split in SPLITS}
    against = {}
    for split in SPLITS[1:]:
        statistics = {
            name: plain(_difference(values["train"][:, place], values[split][:, place]))
            for place, name in enumerate(_STATISTICS)
        }
        auc = _domain_auc(_features(parts["train"]), _features(parts[split]))
        shares = _shares(parts["train"], parts[split], labels)
        against[split] = {
            "auc": None if auc is None else plain(auc),
            "statistics": statistics,
            "label_shares": plain(shares),
            "pictures_differ": auc is not None and auc.low >= CLEAR_AUC,
            "labels_differ": [label for label, share in shares.items() if _beyond(share) >= CLEAR_SHARE],
        }
    method = f"linear domain classifier, {_FOLDS} folds, at most {_MOST_ROWS} rows a split; clear from {CLEAR_AUC} on"
    return {"method": method, "splits": found, "against_train": against}


def shift_findings(found: Mapping[str, Any]) -> list[Finding]:
    """What is clear, as findings; ``found`` is what ``shift`` gives."""
    findings = []
    for split, one in found["against_train"].items():
        if one["pictures_differ"]:
            auc = one["auc"]
            message = (
                f"its pictures are told from training pictures with an area under the curve of {_with_interval(auc)}; "
                f"0.5 would be alike. A model meets other pictures there than it learned from"
            )
            findings.append(Finding(KIND, split, message, "kept", "train"))
        for label in one["labels_differ"]:
            share = one["label_shares"][label]
            off = f"{share['value']:+.3f} [{share['low']:+.3f}, {share['high']:+.3f}]"
            message = f"its share of {label!r} is {off} off that of train"
            findings.append(Finding(KIND, f"{split}: {label}", message, "kept", "train"))
    return findings


def _with_interval(one: Mapping[str, Any]) -> str:
    return f"{one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}] (n = {one['n']})"


def _values(rows: Sequence[Looked]) -> Float64Array:
    """``[rows, 4]``: mean and spread of the greys (0 to 255), width and height in pixels."""
    greys = pixels_of([row.thumbnail for row in rows]).reshape(len(rows), -1).astype(np.float64)
    sizes = np.array([[row.width, row.height] for row in rows], dtype=np.float64).reshape(len(rows), 2)
    return np.column_stack([greys.mean(axis=1), greys.std(axis=1), sizes])


def _described(rows: Sequence[Looked], values: Float64Array, labels: Sequence[str]) -> dict[str, Any]:
    counts = Counter(row.label for row in rows)
    quantiles = np.quantile(values, (0.05, 0.5, 0.95), axis=0)
    described = {
        name: {
            "mean": round(float(values[:, place].mean()), 4),
            "p5": round(float(quantiles[0, place]), 4),
            "median": round(float(quantiles[1, place]), 4),
            "p95": round(float(quantiles[2, place]), 4),
        }
        for place, name in enumerate(_STATISTICS)
    }
    return {"rows": len(rows), **described, "labels": {label: counts[label] for label in labels}}


def _difference(train: Float64Array, other: Float64Array) -> Estimate | None:
    """Mean of ``other`` less that of ``train`` with Welch's (1947) interval, large-sample form; None for a lone row."""
    if min(len(train), len(other)) < 2:
        return None
    off = float(other.mean() - train.mean())
    spread = _Z95 * float(np.sqrt(_variance(train) / len(train) + _variance(other) / len(other)))
    return _rounded(off, off - spread, off + spread, len(train) + len(other))


def _variance(values: Float64Array) -> float:
    return float(values.var(ddof=1))


def _shares(train: Sequence[Looked], other: Sequence[Looked], labels: Sequence[str]) -> dict[str, Estimate | None]:
    """Label -> its share in ``other`` less that in ``train``."""
    return {
        label: _difference(
            *(np.array([row.label == label for row in rows], dtype=np.float64) for rows in (train, other))
        )
        for label in labels
    }


def _beyond(off: Estimate | None) -> float:
    """How far from 0 the interval stays; 0 where it holds 0."""
    return 0.0 if off is None else max(off.low, -off.high, 0.0)


def _features(rows: Sequence[Looked]) -> Float64Array:
    """``[rows, 61]`` of at most ``_MOST_ROWS``: what a picture looks like, and its statistics (sizes as logarithms)."""
    taken = sorted(rows, key=lambda row: row.payload_digest)[:_MOST_ROWS]
    values = _values(taken)
    values[:, 2:] = np.log(values[:, 2:])
    return np.hstack([coefficients(pixels_of([row.thumbnail for row in taken])).astype(np.float64), values])


def _domain_auc(train: Float64Array, other: Float64Array) -> Estimate | None:
    """Area under the curve of telling ``other`` from ``train``, each row scored by a fit without its fold."""
    if min(len(train), len(other)) < _LEAST_ROWS:
        return None
    x, y = np.vstack([train, other]), np.repeat([0, 1], [len(train), len(other)])
    # Rows are in the order of digests, within each split: every fold has its share of both.
    folds = np.concatenate([np.arange(len(train)) % _FOLDS, np.arange(len(other)) % _FOLDS])
    scores = np.zeros(len(x))
    for fold in range(_FOLDS):
        held = folds == fold
        scores[held] = _fitted(x[~held], y[~held], x[held])
    return _delong(scores[y == 1], scores[y == 0])


def _fitted(x: Float64Array, y: IntArray, held: Float64Array) -> Float64Array:
    """Scores of ``held`` by Fisher's linear discriminant with a little ridge, both sides weighted alike."""
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-6
    inputs = (x - mean) / spread
    within = sum(np.cov(inputs[y == side], rowvar=False) for side in (0, 1)) / 2 + 0.05 * np.eye(x.shape[1])
    direction = np.linalg.solve(within, inputs[y == 1].mean(axis=0) - inputs[y == 0].mean(axis=0))
    scores: Float64Array = (held - mean) / spread @ direction
    return scores


def _delong(positive: Float64Array, negative: Float64Array) -> Estimate:
    """Area under the curve and its 95 % interval by DeLong, DeLong & Clarke-Pearson (1988)."""
    above = _placements(positive, negative)
    below = 1 - _placements(negative, positive)
    area = float(above.mean())
    half = _Z95 * float(np.sqrt(_variance(above) / len(above) + _variance(below) / len(below)))
    low, high = round(max(0.0, area - half), 3), round(min(1.0, area + half), 3)
    return Estimate(round(area, 3), low, high, len(positive) + len(negative))


def _placements(values: Float64Array, others: Float64Array) -> Float64Array:
    """Of each value the share of ``others`` below it; equal ones count half."""
    ordered = np.sort(others)
    under, upto = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    shares: Float64Array = (under + upto) / (2 * len(others))
    return shares


def _rounded(value: float, low: float, high: float, n: int) -> Estimate:
    """Six decimals: beyond them a sum depends on the processor that added it up."""
    return Estimate(round(value, 6), round(low, 6), round(high, 6), n)
