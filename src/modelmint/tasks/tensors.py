"""Encoded inputs from a caller who encodes himself: nothing about them is taken on trust."""

from __future__ import annotations

import numpy as np

from modelmint.kit.arrays import AnyArray
from modelmint.tasks.errors import BadTensor, EmptyInput


def check_tensor(tensor: AnyArray, shape: tuple[int, ...]) -> None:
    """Raise ``EmptyInput`` or ``BadTensor`` unless ``tensor`` is float32 ``[n, *shape]``, n at least 1, all finite."""
    wanted = ", ".join(str(side) for side in ("n", *shape))
    problems = []
    if tensor.dtype != np.float32:
        problems.append(f"type: expected float32 (FP32), found {tensor.dtype}")
    if tensor.shape[1:] != shape or tensor.ndim == 0:
        problems.append(f"shape: expected [{wanted}], found {list(tensor.shape)}")
    if problems:
        raise BadTensor("the tensor is not what the model takes", problems=problems)
    if len(tensor) == 0:
        raise EmptyInput(f"expected a tensor of shape [{wanted}] with n of at least 1, found no rows")
    finite = np.isfinite(tensor).reshape(len(tensor), -1).all(axis=1)
    if not finite.all():
        row = int(np.flatnonzero(~finite)[0])
        raise BadTensor(f"expected finite numbers, found NaN or infinity in row {row}", details={"input": row})
