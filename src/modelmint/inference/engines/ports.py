"""What every engine does with a graph's inputs and outputs in the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelmint.inference.errors import BatchRefused, GraphRefused
from modelmint.kit.arrays import AnyArray, FloatArray

#: The name our own exports give the output that counts.
LOGITS = "logits"
#: The name of the class-activation maps ``[n, labels, h, w]`` of a graph that has them.
CAM = "cam"
#: Names of the nodes that only make the maps begin so.
CAM_NODES = "cam/"


def choose_output(outputs: Mapping[str, tuple[str, Sequence[Any] | None]]) -> str:
    """The output to read: the only one, else ``logits``, else the first two-dimensional one of floats.

    ``outputs`` maps a name to its type (as ONNX Runtime spells it, ``tensor(float)``) and shape.
    """
    if len(outputs) == 1 or LOGITS in outputs:
        return LOGITS if LOGITS in outputs else next(iter(outputs))
    for name, (kind, shape) in outputs.items():
        if "float" in kind and shape is not None and len(shape) == 2:
            return name
    raise GraphRefused(f"expected an output of floats with shape [n, labels], found {', '.join(outputs) or 'none'}")


def has_cam(outputs: Mapping[str, tuple[str, Sequence[Any] | None]]) -> bool:
    """Whether one of the outputs holds class-activation maps: ``cam``, floats ``[n, labels, h, w]``."""
    kind, shape = outputs.get(CAM, ("", None))
    return "float" in kind and shape is not None and len(shape) == 4


def check_batch(batch: AnyArray, shape: Sequence[Any], dtype: np.dtype[Any]) -> AnyArray:
    """``batch`` contiguous and in the graph's type; raises ``BatchRefused`` where fixed sides differ.

    ``shape`` holds numbers where the graph fixes a side and names or None where it does not.
    """
    fits = batch.ndim == len(shape) and all(
        not isinstance(want, int) or want == have for want, have in zip(shape, batch.shape, strict=True)
    )
    if not fits:
        wanted = [side if isinstance(side, int) else "any" for side in shape]
        raise BatchRefused(f"expected a batch of shape {wanted}, found {list(batch.shape)}")
    if batch.dtype.kind not in "fiub":
        raise BatchRefused(f"expected a batch of numbers, found {batch.dtype}")
    return np.ascontiguousarray(batch, dtype=dtype)


def float32(found: AnyArray) -> FloatArray:
    """Outputs as float32, without a copy where they are that already."""
    return np.asarray(found, dtype=np.float32)
