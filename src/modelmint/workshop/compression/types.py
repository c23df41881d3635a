"""The nouns of compression."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from modelmint.kit.arrays import AnyArray


@dataclass(frozen=True, slots=True)
class Materials:
    """What steps may need beside the graph; each is made when it is first asked for."""

    #: Encoded training pictures ``[n, c, s, s]``, float32, drawn by seed; raises where there are none.
    calibration: Callable[[], AnyArray]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a step did: the precision of the graph now, and facts worth keeping (JSON)."""

    precision: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class RecipeStep(Protocol):
    """One way to make a graph cheaper. Pure: the same graph, settings and materials give the same bytes."""

    #: Short name of the result, part of the candidate's name (``int8``).
    tag: str
    #: What it needs: ``calibration`` (training pictures), ``labels``, ``teacher``.
    needs: frozenset[str]

    def apply(self, graph: Path, into: Path, settings: Mapping[str, Any], materials: Materials) -> Applied:
        """Read the ONNX file ``graph``, write ``into``; raises ``RecipeFailed`` where it cannot."""
        ...
