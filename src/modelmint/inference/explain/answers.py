"""An explanation as the plain JSON that customers read."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from modelmint.inference.explain.heatmap import png, png_size
from modelmint.inference.explain.types import Explanation


def present_explanation(found: Explanation) -> dict[str, Any]:
    """``{kind, label, grid, values, passes, ms, png}``; the PNG as base64 text, left out where none was made."""
    content: dict[str, Any] = {
        "kind": found.kind,
        "label": found.label,
        "grid": list(found.grid),
        "values": [list(row) for row in found.values],
        "passes": found.passes,
        "ms": found.ms,
    }
    if found.png is not None:
        content["png"] = base64.b64encode(found.png).decode("ascii")
    return content


def kept_explanation(found: Explanation) -> dict[str, Any]:
    """What may be stored of one that was drawn: the map's numbers, and how large its PNG was; no picture."""
    return {**present_explanation(replace(found, png=None)), "size": list(png_size(found.png or b""))}


def drawn_again(kept: Mapping[str, Any]) -> Explanation:
    """The explanation that ``kept_explanation`` was given, with its map alone as PNG of the same size."""
    (rows, columns), (width, height) = kept["grid"], kept["size"]
    values = tuple(tuple(line) for line in kept["values"])
    found = Explanation(kept["kind"], kept["label"], (rows, columns), values, kept["passes"], kept["ms"])
    return replace(found, png=png(found, (width, height)))
