"""Scorecards as plain JSON, there and back, and as a table for the shell."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from modelmint.evaluation.errors import BadReport
from modelmint.evaluation.types import ClassReport, Scorecard
from modelmint.evaluation.words import words
from modelmint.kit.canonical import plain
from modelmint.kit.estimate import Estimate
from modelmint.tasks.types import DecisionRule

#: The order in which people want to read metrics.
ORDER = (
    "auroc", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "f1_macro", "ece", "brier", "nll",
    "answered_accuracy", "abstained",
)  # fmt: skip


def scorecard_json(scorecard: Scorecard) -> dict[str, Any]:
    """The scorecard as plain JSON types; ``scorecard_from_json`` gives it back, equal."""
    found: dict[str, Any] = plain(scorecard)
    return found


def scorecard_from_json(found: Mapping[str, Any]) -> Scorecard:
    """The scorecard behind its JSON; raises ``BadReport`` where it is not one."""
    try:
        return Scorecard(
            split=str(found["split"]),
            labels=tuple(found["labels"]),
            decision=DecisionRule(**found["decision"]),
            metrics={name: Estimate(**value) for name, value in found["metrics"].items()},
            classes=tuple(_class(row) for row in found["classes"]),
            confusion=tuple(tuple(int(cell) for cell in row) for row in found["confusion"]),
            curves={name: [[float(v) for v in point] for point in points] for name, points in found["curves"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadReport(
            f"expected a scorecard as written by scorecard_json, found something else: {error!r}"
        ) from error


def scorecard_text(scorecard: Scorecard, lang: str = "en") -> str:
    """Metrics with intervals, then the labels, as aligned text."""
    say = words(lang)
    names = [name for name in ORDER if name in scorecard.metrics]
    names += sorted(set(scorecard.metrics) - set(names))
    rows = [(say["metric"], say["value"], say["interval"], "n")]
    for name in names:
        found = scorecard.metrics[name]
        rows.append((name, f"{found.value:.4f}", f"{found.low:.4f} - {found.high:.4f}", str(found.n)))
    classes = [(say["label"], say["precision"], say["recall"], say["f1"], say["support"])]
    for row in scorecard.classes:
        cells = (f"{row.precision.value:.4f}", f"{row.recall.value:.4f}", f"{row.f1.value:.4f}", str(row.support))
        classes.append((row.label, *cells))
    head = f"{say['split']}: {say.get(scorecard.split, scorecard.split)}"
    return "\n".join([head, "", *_aligned(rows), "", *_aligned(classes)])


def _class(row: Mapping[str, Any]) -> ClassReport:
    precision, recall, f1 = (Estimate(**row[name]) for name in ("precision", "recall", "f1"))
    return ClassReport(str(row["label"]), precision, recall, f1, int(row["support"]))


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0] + " " * (widths[0] - _width(row[0]))]
        cells += [" " * (width - _width(cell)) + cell for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells))
    return lines


def _width(text: str) -> int:
    """Columns in a terminal: East Asian characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
