"""The nouns of a build. No torch: a cached build reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelmint.inference.types import Timing
from modelmint.kit.estimate import Estimate
from modelmint.tasks.types import DecisionRule

#: Names of the baselines: the trained network in torch, and its float32 graph.
TORCH = "torch-fp32"
BASELINE = "onnx-fp32"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One measured way to run the trained network: a graph on an engine.

    Scores are of validation. What could not be measured is None, and then ``rejected`` says why.
    """

    #: torch-fp32, onnx-fp32, or the recipe's tags (int8).
    name: str
    engine: str
    #: Recipe steps as plain JSON; empty for the baselines.
    recipe: tuple[Mapping[str, Any], ...]
    #: float32 | int8
    precision: str
    #: Graph file in the compress folder; None for torch.
    graph: str | None
    graph_digest: str | None
    size_bytes: int | None
    #: Key of the candidate it is held against.
    parent: str | None
    #: The venture's name for this variant.
    variant: str = "default"
    decision: DecisionRule | None = None
    scores: Mapping[str, Estimate] | None = None
    timing: Timing | None = None
    #: mean_difference, max_difference, flip_share against the parent, under the parent's decision rule.
    parity: Mapping[str, float] | None = None
    #: Accuracy lost against ``onnx-fp32`` on validation, cross-fitted; below 0 where it gains.
    accuracy_drop: float | None = None
    #: What the recipe steps told (JSON).
    facts: tuple[Mapping[str, Any], ...] = ()
    rejected: str | None = None

    @property
    def key(self) -> str:
        """Unique within a build: ``int8@onnxruntime``."""
        return f"{self.name}@{self.engine}"


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate that is released, and one sentence why."""

    key: str
    why: str
