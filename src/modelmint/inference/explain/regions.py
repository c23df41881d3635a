"""Parts of encoded pictures painted out, in whatever layout a task encodes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from modelmint.kit.arrays import AnyArray
from modelmint.tasks.types import Task

#: Rows and columns of an occlusion map.
SIDE = 7


def grid_of(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of cells: 7 x 7, fewer where the picture has fewer pixels."""
    return min(SIDE, height), min(SIDE, width)


def cells(height: int, width: int, grid: tuple[int, int]) -> AnyArray:
    """One mask per cell of ``grid``, booleans ``[rows * columns, height, width]``, row by row; a pixel lies in one."""
    rows, columns = grid
    tall, wide = _spans(height, rows), _spans(width, columns)
    return (tall[:, None, :, None] & wide[None, :, None, :]).reshape(rows * columns, height, width)


def painted(row: AnyArray, masks: AnyArray, task: Task, settings: Mapping[str, Any]) -> AnyArray:
    """Copies of one encoded picture ``[...]``, one per mask ``[m, height, width]``, with the masked pixels at the
    picture's mean colour; ``[m, ...]``. The mean, not black: an edge against black is something to be seen itself.
    """
    copies = np.repeat(row[None], len(masks), axis=0)
    planes = task.planes(copies, settings)  # [m, channels, height, width], a view
    colour = task.planes(row[None], settings)[0].mean(axis=(1, 2), dtype=np.float64)
    np.copyto(planes, colour.astype(planes.dtype)[None, :, None, None], where=masks[:, None])
    return copies


def _spans(length: int, parts: int) -> AnyArray:
    """Which of ``length`` pixels belong to each of ``parts``, booleans ``[parts, length]``."""
    edges = np.arange(parts + 1) * length / parts
    centres = np.arange(length) + 0.5
    return (centres >= edges[:-1, None]) & (centres < edges[1:, None])
