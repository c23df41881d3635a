"""``[gates]``: thresholds that block a release."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from modelmint.kit.registry import nearest
from modelmint.venture.sections.base import Complaint, Section, refuse_if_any

#: What a gate may watch.
GATE_METRICS = (
    "auroc", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "f1_macro", "ece", "brier",
    "accuracy_drop", "auroc_drop", "p50_ms", "p99_ms", "cpu_ms", "size_bytes", "calls_per_second",
    "cost_per_1k", "monthly_value", "gross_margin",
)  # fmt: skip
_GATE = re.compile(r"^\s*(>=|<=|>|<)\s*(-?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*$")


class Bound(BaseModel):
    """``">= 0.95"`` taken apart."""

    model_config = ConfigDict(frozen=True)
    comparison: str
    bound: float
    #: The number as the founder wrote it: a gate is shown as it stands in the file, never rounded.
    written: str

    def holds(self, value: float) -> bool:
        """Whether ``value`` passes; NaN never does."""
        return {
            ">=": value >= self.bound,
            "<=": value <= self.bound,
            ">": value > self.bound,
            "<": value < self.bound,
        }[self.comparison]

    def __str__(self) -> str:
        return f"{self.comparison} {self.written}"


def _bound(value: Any) -> Any:
    if isinstance(value, Bound):
        return value
    match = _GATE.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'expected a comparison like ">= 0.95", found {value!r}')
    return Bound(comparison=match[1], bound=float(match[2].replace("_", "")), written=match[2])


Gate = Annotated[Bound, BeforeValidator(_bound)]


class GatesSection(Section):
    """One optional bound per metric; ``waive`` names gates that may fail, each with its reason."""

    auroc: Gate | None = None
    accuracy: Gate | None = None
    balanced_accuracy: Gate | None = None
    sensitivity: Gate | None = None
    specificity: Gate | None = None
    f1_macro: Gate | None = None
    ece: Gate | None = None
    brier: Gate | None = None
    accuracy_drop: Gate | None = None
    auroc_drop: Gate | None = None
    p50_ms: Gate | None = None
    p99_ms: Gate | None = None
    cpu_ms: Gate | None = None
    size_bytes: Gate | None = None
    calls_per_second: Gate | None = None
    cost_per_1k: Gate | None = None
    monthly_value: Gate | None = None
    gross_margin: Gate | None = None
    #: gate name -> reason; stays in the manifest.
    waive: dict[str, Annotated[str, Field(min_length=8)]] = {}

    @model_validator(mode="after")
    def _waivers_waive_something(self) -> GatesSection:
        refuse_if_any(self._complaints())
        return self

    def _complaints(self) -> Iterator[Complaint]:
        for name in self.waive:
            if name not in self.bounds():
                known = ", ".join(self.bounds()) or "none is set"
                message = f"waives a gate that is not set; gates set here: {known}"
                yield Complaint(("waive", name), message, nearest(name, list(self.bounds())), needs=((name,),))

    def bounds(self) -> dict[str, Bound]:
        """The gates that are set, in the order of ``GATE_METRICS``."""
        return {name: getattr(self, name) for name in GATE_METRICS if getattr(self, name) is not None}
