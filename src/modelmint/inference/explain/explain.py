"""One answer explained: by the network's own map where its graph has one, else by occlusion."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from modelmint.inference.explain.cam import cam_map
from modelmint.inference.explain.heatmap import png
from modelmint.inference.explain.occlusion import occlusion_map
from modelmint.inference.explain.types import CAM, OCCLUSION, Explanation
from modelmint.kit.arrays import AnyArray, Float64Array
from modelmint.tasks.errors import BadOutputs
from modelmint.tasks.registry import TASKS
from modelmint.tasks.types import ModelSpec


class Runs(Protocol):
    """As much of an engine as an explanation needs."""

    def run(self, batch: AnyArray) -> AnyArray:
        """A batch ``[n, ...]`` in, logits ``[n, labels]`` out."""
        ...

    def cam(self, batch: AnyArray) -> AnyArray | None:
        """Class-activation maps ``[n, labels, h, w]``; None where the graph has none."""
        ...


def explain_row(
    engine: Runs,
    row: AnyArray,
    logits: AnyArray,
    label: int,
    spec: ModelSpec,
    *,
    over: bytes | tuple[int, int] | None = None,
    cpu: Callable[[], float] = time.process_time,
) -> Explanation:
    """Why the answer ``logits [labels]`` to one encoded input ``row`` gives ``label`` (an index) its score.

    ``over`` asks for the map as a PNG: over this picture, or alone at (width, height). ``cpu`` reads the CPU seconds
    that ``ms`` is told in. Raises ``BadOutputs`` where the network gives NaN or infinity on the way, and what the
    engine raises.
    """
    before = cpu()
    kind, heat, passes = heat_of(engine, row, logits, label, spec)
    rows, columns = heat.shape
    values = tuple(tuple(round(value, 4) for value in line) for line in heat.tolist())
    made = Explanation(kind, spec.labels[label], (rows, columns), values, passes, 0.0)
    picture = None if over is None else png(made, over)
    return replace(made, ms=round((cpu() - before) * 1000, 3), png=picture)


def heat_of(
    engine: Runs, row: AnyArray, logits: AnyArray, label: int, spec: ModelSpec
) -> tuple[str, Float64Array, int]:
    """The kind of map, its heat ``[rows, columns]`` from 0 to 1, and how many rows were run for it."""
    maps = engine.cam(row[None])
    if maps is not None:
        kind, found, passes = CAM, cam_map(maps[0], logits, label), 1
    else:
        kind = OCCLUSION
        found, passes = occlusion_map(engine.run, row, logits, label, TASKS.get(spec.task), spec.settings)
    if not np.isfinite(found).all():
        raise BadOutputs("expected finite numbers for the map of an explanation, found NaN or infinity")
    return kind, scaled(found), passes


def scaled(found: Float64Array) -> Float64Array:
    """What speaks for the label, from 0 to 1 by its largest; all 0 where nothing does."""
    positive: Float64Array = np.maximum(found, 0.0)
    top = float(positive.max(initial=0.0))
    return positive / top if top > 0 else positive
