"""An explanation as the plain JSON that customers read."""

from __future__ import annotations

import base64
from typing import Any

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
