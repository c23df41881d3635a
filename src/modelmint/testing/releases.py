"""A real release with a real model in it, made in milliseconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from modelmint.releases.bundle import Release, write_release
from modelmint.releases.manifest import SCHEMA
from modelmint.releases.types import Manifest, ReleasedModel, Variant
from modelmint.tasks.registry import TASKS
from modelmint.tasks.types import DecisionRule, ModelSpec
from modelmint.testing.graphs import linear_graph
from modelmint.testing.ventures import venture_text

LABELS = ("dark", "bright")
_SIDE = 8


def brightness_release(shelf: Path, name: str = "brightness", *, sharpness: float = 4.0, venture: str = "") -> Release:
    """A release on ``shelf`` whose model answers ``bright`` above mid grey and ``dark`` below.

    ``sharpness`` is the logit at white; two values of it are two releases that both answer right.
    ``venture`` is the bundled ``venture.toml``, that of ``venture_text(name)`` by default.
    """
    return write_release(shelf, *brightness_parts(name, sharpness=sharpness, venture=venture))


def brightness_parts(
    name: str = "brightness", *, sharpness: float = 4.0, venture: str = ""
) -> tuple[Manifest, dict[str, Path | bytes]]:
    """The manifest of ``brightness_release`` and its files, to be added to."""
    task = TASKS.get("image-classification")
    weights = np.full((_SIDE * _SIDE, 2), sharpness / (_SIDE * _SIDE))
    weights[:, 0] *= -1
    graph = linear_graph(weights, np.zeros(2), channels=1, side=_SIDE)
    spec = ModelSpec(
        task=task.name,
        settings=task.default_settings(image_size=_SIDE, channels=1),
        labels=LABELS,
        decision=DecisionRule(positive="bright", threshold=0.5),
    )
    place = f"models/{name}/default/model.onnx"
    variant = Variant(graph=place, recipe=(), precision="float32", size_bytes=len(graph))
    text = venture or venture_text(name)
    manifest = Manifest(
        schema=SCHEMA,
        venture={"name": name, "use": "for tests only"},
        models={name: ReleasedModel(spec, {"default": variant}, "default", "linear", test_reads=0)},
        dataset={"digest": "0" * 64, "rows": {}},
        lineage={"made_by": "modelmint.testing"},
        licences={"data": "none", "weights": "none", "code": "Apache-2.0"},
        waivers={},
        files={},
    )
    return manifest, {place: graph, "venture.toml": text.encode()}
