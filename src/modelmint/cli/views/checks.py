"""The rows of ``doctor`` as a table and as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from modelmint.cli.types import Check, Column, TableView

_WORDS = {"ok": "ok", "warn": "warn", "bad": "BAD"}


def checks_view(checks: Sequence[Check]) -> TableView:
    """One row per check; what to do stands below what was found."""
    rows, marks = [], {}
    for index, check in enumerate(checks):
        found = check.found if not check.todo else f"{check.found}\n-> {check.todo}"
        rows.append((_WORDS[check.state], check.group, check.name, found))
        marks[index] = {"ok": "", "warn": "warn", "bad": "alarm"}[check.state]
    return TableView("", (Column(""), Column("group"), Column("check"), Column("found")), tuple(rows), marks)


def checks_json(checks: Sequence[Check], code: int) -> dict[str, Any]:
    """``{ok, exit_code, counts, checks}``; ``ok`` is false only where something is bad."""
    counts = {state: sum(check.state == state for check in checks) for state in _WORDS}
    return {
        "ok": counts["bad"] == 0,
        "exit_code": code,
        "counts": counts,
        "checks": [dataclasses.asdict(check) for check in checks],
    }
