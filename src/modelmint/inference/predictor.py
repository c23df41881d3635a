"""Encode, engine, decode: the one path on which every model is scored and served."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelmint.inference.encoded import encode_all
from modelmint.inference.types import Engine
from modelmint.kit.arrays import AnyArray, FloatArray
from modelmint.tasks.errors import BadOutputs
from modelmint.tasks.registry import TASKS
from modelmint.tasks.types import ModelSpec, Prediction

#: Batches encoded at one go, so that encoding threads have enough to share.
_BATCHES_ENCODED = 4


class Predictor:
    """A model ready to answer. Safe to call from several threads where its engine is."""

    def __init__(self, spec: ModelSpec, engine: Engine) -> None:
        self.spec = spec
        self.engine = engine
        self._task = TASKS.get(spec.task)

    def logits(self, payloads: Sequence[bytes], batch_size: int = 64, workers: int | None = None) -> FloatArray:
        """Raw outputs ``[n, labels]``; memory holds a few batches of encoded inputs at a time."""
        parts = []
        block = batch_size * _BATCHES_ENCODED
        for start in range(0, len(payloads), block):
            encoded = encode_all(self.spec, payloads[start : start + block], workers)
            parts.append(run_batches(self.engine, encoded, batch_size))
        return _joined(parts, len(self.spec.labels))

    def predict(self, payloads: Sequence[bytes], batch_size: int = 64) -> list[Prediction]:
        """One answer per payload, in order."""
        return self._task.decode(self.logits(payloads, batch_size), self.spec)

    def decode(self, logits: AnyArray) -> list[Prediction]:
        """Answers for logits that were computed already."""
        return self._task.decode(logits, self.spec)

    def close(self) -> None:
        """Close the engine."""
        self.engine.close()


def run_batches(engine: Engine, encoded: AnyArray, batch_size: int = 64) -> FloatArray:
    """Outputs for an encoded array of any length, ``batch_size`` rows at a time."""
    parts = []
    for start in range(0, len(encoded), batch_size):
        rows = encoded[start : start + batch_size]
        found = engine.run(rows)
        if len(found) != len(rows):
            raise BadOutputs(f"expected one output per input, {len(rows)}; found {len(found)}. The graph mixes rows")
        parts.append(found)
    return _joined(parts, 0)


def _joined(parts: list[AnyArray], labels: int) -> FloatArray:
    if not parts:
        return np.empty((0, labels), dtype=np.float32)
    return np.asarray(np.concatenate(parts) if len(parts) > 1 else parts[0], dtype=np.float32)
