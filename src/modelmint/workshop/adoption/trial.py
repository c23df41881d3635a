"""Which reading fits: each is tried on labelled training pictures, since a wrong one ruins a model without a word."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from modelmint.data.version import DatasetVersion
from modelmint.evaluation.intervals import wilson
from modelmint.inference.encoded import encode_with
from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.predictor import run_batches
from modelmint.inference.types import Engine
from modelmint.kit.arrays import AnyArray, FloatArray, IntArray
from modelmint.kit.estimate import Estimate
from modelmint.kit.machine import this_machine
from modelmint.tasks.decision import log_probabilities
from modelmint.tasks.registry import TASKS
from modelmint.workshop.adoption.types import Reading, Trial

#: Training pictures on which readings are tried, by the side of the picture: enough to tell readings apart, few
#: enough that ten readings of a large network take seconds.
_ROWS = ((64, 256), (128, 128), (4096, 64))
_BATCH = 32


@dataclass(frozen=True)
class Samples:
    """Labelled training pictures, drawn by seed."""

    payloads: Sequence[bytes]
    targets: IntArray
    task: str
    max_pixels: int

    def encoded(self, reading: Reading) -> AnyArray:
        """``[rows, channels, side, side]`` float32, by the encode that serving uses."""
        return encode_with(self.task, settings(reading, self.task, self.max_pixels), self.payloads)


def settings(reading: Reading, task: str, max_pixels: int) -> dict[str, Any]:
    """What encode is told; plain JSON, as it stands in the manifest."""
    return dict(
        TASKS.get(task).default_settings(
            image_size=reading.image_size, channels=reading.channels, mean=list(reading.mean), std=list(reading.std),
            max_pixels=max_pixels,
        )
    )  # fmt: skip


def draw(dataset: DatasetVersion, side: int, seed: int, task: str, max_pixels: int) -> Samples:
    """Up to 256 training rows, fewer of large pictures."""
    wanted = next(rows for limit, rows in _ROWS if side <= limit)
    payloads, targets = dataset.payloads("train"), dataset.targets("train")
    chosen = sorted(np.random.default_rng(seed).permutation(len(payloads))[:wanted].tolist())
    return Samples([payloads[place] for place in chosen], targets[chosen], task, max_pixels)


def opened(model: Any) -> Engine:
    """The wrapped ``model`` in ONNX Runtime; raises ``GraphRefused``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(model.SerializeToString(deterministic=True))
        return ENGINES.get("onnxruntime")(path, this_machine().cores)


def outputs(engine: Engine, encoded: AnyArray) -> FloatArray:
    """Outputs ``[rows, k]``."""
    return run_batches(engine, encoded, _BATCH)


def judged(reading: Reading, logits: FloatArray, targets: IntArray) -> Trial:
    """How well ``logits`` answer; outputs that are not finite answer nothing."""
    if not np.isfinite(logits).all():
        return Trial(reading, 0, len(targets))
    logs = log_probabilities(logits)
    loss = -float(logs[np.arange(len(targets)), targets].mean())
    return Trial(reading, int((logs.argmax(axis=1) == targets).sum()), len(targets), loss)


def best(trials: Sequence[Trial]) -> Trial:
    """The most right answers; among as many, the least loss; where all are right, the first that was tried.

    Where all are right the loss says nothing: larger numbers make any answer surer.
    """
    return min(trials, key=lambda trial: (-trial.hits, trial.loss if trial.hits < trial.rows else 0.0))


def accuracy(trial: Trial) -> Estimate:
    """Share of right answers with Wilson's interval."""
    return wilson(trial.hits, trial.rows)


def no_better_than_guessing(trial: Trial, targets: IntArray) -> bool:
    """Whether always giving the commonest label might do as well."""
    commonest = np.bincount(targets).max() / len(targets) if len(targets) else 1.0
    return not accuracy(trial).low > commonest


def clearly_better(one: Trial, other: Trial) -> bool:
    """Whether the intervals do not touch."""
    return accuracy(one).low > accuracy(other).high


def told(trial: Trial) -> str:
    """``nhwc, raw ([0, 255]): accuracy 0.961 [0.930, 0.979] on 256 training pictures``."""
    if math.isinf(trial.loss):
        return f"{trial.reading.told}: answers that are not finite"
    found = accuracy(trial)
    return (
        f"{trial.reading.told}: accuracy {found.value:.3f} [{found.low:.3f}, {found.high:.3f}] on {trial.rows} "
        "training pictures"
    )


def shuffled(logits: FloatArray, targets: IntArray) -> tuple[tuple[int, ...], int] | None:
    """Another order of the outputs that answers best, as the column of each label, and how many answers it has right.

    An assignment of columns to labels (Kuhn 1955) over counts of answers; None where the present order is the best.
    """
    labels = logits.shape[1]
    counts = np.zeros((labels, labels), dtype=np.int64)
    np.add.at(counts, (targets, logits.argmax(axis=1)), 1)
    rows, columns = linear_sum_assignment(-counts)
    hits = int(counts[rows, columns].sum())
    return None if hits <= int(np.trace(counts)) else (tuple(columns.tolist()), hits)
