"""Occlusion maps: how far the score of a label falls when a part of the picture is painted out.

Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", 4.2. It needs nothing but a network
that can be run: any backbone, any engine, float or int8. Cells do not overlap and are painted in the picture's mean
colour: on validation that was the truest of what was tried (ADR 0011).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from modelmint.inference.explain.regions import cells, grid_of, painted
from modelmint.kit.arrays import AnyArray, Float64Array
from modelmint.tasks.decision import log_odds
from modelmint.tasks.types import Task


def occlusion_map(
    run: Callable[[AnyArray], AnyArray],
    row: AnyArray,
    logits: AnyArray,
    label: int,
    task: Task,
    settings: Mapping[str, Any],
) -> tuple[Float64Array, int]:
    """Fall of the log odds of ``label`` per cell, ``[rows, columns]``, and how many rows were run for it (at most 49).

    ``row`` is one encoded input, ``logits [labels]`` the network's answer to it, ``run`` the network on a batch.
    """
    height, width = task.planes(row[None], settings).shape[2:]
    grid = grid_of(height, width)
    batch = painted(row, cells(height, width, grid), task, settings)
    found = log_odds(run(batch), label)
    fall: Float64Array = (log_odds(logits[None], label)[0] - found).reshape(grid)
    return fall, len(batch)
