"""Which random changes suit the pictures: measured on training rows, never assumed.

Small shifts, turns, scalings and changes of light keep the meaning of a picture. A flip may not: a flipped ``2`` is no
``2``, and a heart lies on one side. So a plain linear classifier is fitted on upright training pictures and reads
other training pictures twice, as they are and flipped. A flip is taken only where it reads both equally well, and
only where it reads them at all: a classifier that guesses loses nothing by a flip and proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from modelmint.data.pictures import open_picture
from modelmint.data.version import DatasetVersion
from modelmint.kit.arrays import Float64Array, IntArray
from modelmint.kit.estimate import Estimate
from modelmint.venture.sections.model import Augmentation

_ALWAYS: tuple[Augmentation, ...] = ("shift", "rotate", "scale", "brightness", "contrast")
_FLIPS: tuple[Augmentation, ...] = ("flip", "flip-vertical")
_UPRIGHT = "upright"
#: Axes of ``[n, h, w, c]`` that are turned round.
_AXES: dict[str, tuple[int, ...]] = {_UPRIGHT: (), "flip": (2,), "flip-vertical": (1,)}
_SIDE = 16
_MOST_ROWS = 3000
_FOLDS = 3
#: Largest loss of accuracy by a flip, at the far end of its interval, that counts as none.
_TOLERATED = 0.02
_Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class AugmentChoice:
    """Names for the trainer, and for every augmentation that was considered one sentence on why (not)."""

    names: tuple[Augmentation, ...]
    reasons: dict[str, str]


@dataclass(frozen=True, slots=True)
class FlipTrial:
    """What the linear classifier reads, on the same held-out training pictures."""

    #: Accuracy on pictures as they are, less that of always naming the commonest label.
    above_guessing: Estimate
    #: Flip -> accuracy as they are less accuracy flipped.
    loss: dict[str, Estimate]


def choose(dataset: DatasetVersion, wanted: Literal["auto", "none"] | Sequence[Augmentation]) -> AugmentChoice:
    """The augmentations to train with. Reads the training split only; the same dataset gives the same choice."""
    if wanted == "none":
        return AugmentChoice((), {})
    if not isinstance(wanted, str):
        return AugmentChoice(tuple(dict.fromkeys(wanted)), dict.fromkeys(wanted, "asked for in model.augment"))
    reasons = dict.fromkeys(map(str, _ALWAYS), "mild; keeps the meaning of a picture")
    names = list(_ALWAYS)
    trial = try_flips(dataset)
    for flip in _FLIPS:
        harmless, reasons[flip] = _verdict(trial, flip)
        if harmless:
            names.append(flip)
    return AugmentChoice(tuple(names), reasons)


def try_flips(dataset: DatasetVersion) -> FlipTrial:
    """Cross-validated on at most 3,000 training rows at 16 x 16 pixels: ridge regression onto one column a label."""
    rows = _spread(dataset)
    pictures = _thumbnails(dataset, rows)
    targets = dataset.targets("train")[rows]
    right: dict[str, Float64Array] = {name: np.zeros(len(rows)) for name in (_UPRIGHT, *_FLIPS)}
    for fold in range(_FOLDS):
        held = np.arange(len(rows)) % _FOLDS == fold
        if held.all() or not held.any():
            continue
        weights, mean, scale = _ridge(pictures[~held].reshape((~held).sum(), -1), targets[~held], len(dataset.labels))
        for name in right:
            turned = np.flip(pictures[held], axis=_AXES[name])
            scores = _with_one((turned.reshape(held.sum(), -1) - mean) / scale) @ weights
            right[name][held] = scores.argmax(axis=1) == targets[held]
    commonest = np.bincount(targets).max() / len(targets)
    return FlipTrial(
        above_guessing=_mean(right[_UPRIGHT] - commonest),
        loss={name: _mean(right[_UPRIGHT] - right[name]) for name in _FLIPS},
    )


def _verdict(trial: FlipTrial, flip: str) -> tuple[bool, str]:
    if trial.above_guessing.low <= 0:
        return (
            False,
            "not taken: a linear classifier reads these pictures no better than guessing, so a flip proves nothing",
        )
    loss = trial.loss[flip]
    measured = (
        f"a linear classifier loses {loss.value:.3f} [{loss.low:.3f}, {loss.high:.3f}] of accuracy on {loss.n} pictures"
    )
    if loss.high <= _TOLERATED:
        return True, f"taken: flipped, {measured}"
    return False, f"not taken: flipped, {measured}; at most {_TOLERATED} is tolerated"


def _spread(dataset: DatasetVersion) -> IntArray:
    """Row places in the order of their payload digests: a fair sample; rows of one folder are not neighbours."""
    digests = [row.digest for row in dataset.rows("train")]
    return np.array(sorted(range(len(digests)), key=digests.__getitem__)[:_MOST_ROWS], dtype=np.int64)


def _thumbnails(dataset: DatasetVersion, rows: IntArray) -> Float64Array:
    """``[rows, 16, 16, channels]``, 0 to 1."""
    mode = "L" if dataset.channels == 1 else "RGB"
    thumbnails = []
    for payload in dataset.payloads_at("train", rows.tolist()):
        # Checked when it was frozen, under the limit of that time.
        picture = open_picture(payload, max_pixels=2**62).convert(mode)
        small = picture.resize((_SIDE, _SIDE), Image.Resampling.BOX)
        thumbnails.append(np.asarray(small, dtype=np.float64).reshape(_SIDE, _SIDE, dataset.channels) / 255)
    return np.stack(thumbnails)


def _ridge(x: Float64Array, targets: IntArray, labels: int) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Weights ``[features + 1, labels]`` for standardised ``x``; the penalty is a tenth of the number of rows."""
    mean: Float64Array = x.mean(axis=0)
    scale: Float64Array = x.std(axis=0).astype(np.float64) + 1e-3
    inputs = _with_one((x - mean) / scale)
    wanted: Float64Array = np.eye(labels)[targets] - np.bincount(targets, minlength=labels) / len(targets)
    gram = inputs.T @ inputs + 0.1 * len(x) * np.eye(inputs.shape[1])
    weights: Float64Array = np.linalg.solve(gram, inputs.T @ wanted).astype(np.float64)
    return weights, mean, scale


def _with_one(x: Float64Array) -> Float64Array:
    return np.hstack([x, np.ones((len(x), 1))])


def _mean(values: Float64Array) -> Estimate:
    """Mean with its normal 95 % interval; of paired differences, the interval of the paired test."""
    mean = float(values.mean())
    half = _Z95 * float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else float("inf")
    return Estimate(mean, mean - half, mean + half, len(values))
