"""Gates: what was wanted against what was found. They fail closed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from modelmint.evaluation.types import GateResult
from modelmint.venture.sections.gates import Bound


def check(
    bounds: Mapping[str, Bound], found: Mapping[str, float | None], waive: Mapping[str, str]
) -> tuple[GateResult, ...]:
    """One result per bound, in their order.

    What was not measured, or is NaN or infinite, fails: nothing passes because nobody looked. ``waive`` maps a gate
    to the reason why it may fail; a waived gate that failed is shown as failed, with its reason, and does not block.
    """
    results = []
    for name, bound in bounds.items():
        value = found.get(name)
        known = float(value) if value is not None and math.isfinite(value) else None
        passed = known is not None and bound.holds(known)
        results.append(GateResult(name, str(bound), known, passed, None if passed else waive.get(name)))
    return tuple(results)


def blocking(results: Iterable[GateResult]) -> tuple[GateResult, ...]:
    """The gates that stop a release: failed and not waived."""
    return tuple(result for result in results if not result.passed and result.waived is None)


def found_text(result: GateResult) -> str:
    """What was found, to six digits, or as many more as it takes to stand on its own side of the bound."""
    if result.found is None:
        return "not measured"
    bound = float(result.wanted.split()[-1].replace("_", ""))
    for digits in range(6, 17):
        text = f"{result.found:.{digits}g}"
        if _side(float(text), bound) == _side(result.found, bound):
            return text
    return repr(result.found)


def _side(value: float, bound: float) -> int:
    return (value > bound) - (value < bound)


def table(results: Iterable[GateResult]) -> str:
    """The gates as aligned text: name, wanted, found, and whether it passed, failed or was waived and why."""
    rows = [("gate", "wanted", "found", "")]
    for result in results:
        found = found_text(result)
        outcome = "passed" if result.passed else f"waived: {result.waived}" if result.waived else "FAILED"
        rows.append((result.name, result.wanted, found, outcome))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[3]]).rstrip() for row in rows
    )
