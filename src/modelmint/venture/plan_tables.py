"""Plans that come without a whole venture file: over HTTP, or in a file of ``[plans.NAME]`` tables alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelmint.venture.errors import InvalidVenture
from modelmint.venture.lines import key_lines, line_of
from modelmint.venture.load import against_schema, dotted, file_text
from modelmint.venture.messages import Fault
from modelmint.venture.schema import VentureFile
from modelmint.venture.sections.plans import PlanSection
from modelmint.venture.syntax import parse
from modelmint.venture.types import Problem

#: What a venture file must have besides.
_FRAME: dict[str, Any] = {"venture": {"name": "unnamed"}, "data": {"source": "unknown"}}


def judged(plans: Mapping[str, Any]) -> tuple[dict[str, PlanSection], list[Fault]]:
    """The plans of ``NAME -> table``, or all that is wrong with them."""
    document = {**_FRAME, "plans": dict(plans)}
    found = against_schema(document)
    return ({}, found) if found else (VentureFile.model_validate(document).plans, [])


def read_plans(file: Path) -> dict[str, PlanSection]:
    """The plans of a TOML file; raises ``InvalidVenture`` with every problem and its line."""
    text = file_text(file)
    document, problems, readable = parse(text)
    lines = key_lines(readable)
    strange = [key for key in document if key != "plans"]
    message = "expected [plans.NAME] tables and nothing else"
    problems += [Problem(line_of((key,), lines), key, message) for key in strange]
    if not problems and not document.get("plans"):
        problems.append(Problem(1, "plans", f"{message}, found none"))
    sections, faults = judged(document.get("plans", {}) if isinstance(document.get("plans"), dict) else {})
    if not isinstance(document.get("plans", {}), dict):
        problems.append(Problem(line_of(("plans",), lines), "plans", message))
    problems += [Problem(line_of(one.path, lines), dotted(one.path), one.message, one.suggestion) for one in faults]
    if problems:
        raise InvalidVenture(file, sorted(problems, key=lambda problem: (problem.line, problem.path)))
    return sections
