"""The nouns of evaluation."""

from __future__ import annotations

from dataclasses import dataclass

from modelmint.kit.estimate import Estimate
from modelmint.tasks.types import DecisionRule


@dataclass(frozen=True, slots=True)
class ClassReport:
    """Precision, recall and F1 of one label, with its support (true rows)."""

    label: str
    precision: Estimate
    recall: Estimate
    f1: Estimate
    support: int


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Everything the judge says about one model on one split.

    ``metrics`` by name (auroc, accuracy, ...), each with a bootstrap interval; ``confusion[i][j]`` counts
    rows of true label i answered j; ``curves`` holds plain number lists for plots (roc, reliability).
    Accuracy and confusion count every row, abstained ones too, by the label they would have got;
    ``answered_accuracy`` and ``abstained`` tell of the abstain band.
    """

    split: str
    labels: tuple[str, ...]
    decision: DecisionRule
    metrics: dict[str, Estimate]
    classes: tuple[ClassReport, ...]
    confusion: tuple[tuple[int, ...], ...]
    curves: dict[str, list[list[float]]]


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate: what was wanted, what was found (None: not measured, which fails), and the waiver if any."""

    name: str
    wanted: str
    found: float | None
    passed: bool
    waived: str | None = None
