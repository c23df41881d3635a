"""What the shell says of a build."""

from __future__ import annotations

from typing import Any

import pytest

from modelmint.cli.views.reports import cost_line
from modelmint.sdk.views.building import candidates_view, judged_title


def row(**more: Any) -> dict[str, Any]:
    names = ("accuracy", "auroc", "cpu_ms", "p50_ms", "p99_ms", "size_bytes", "calls_per_second", "cost_per_1k")
    return {"name": "int8", "engine": "onnxruntime", **dict.fromkeys(names), "monthly_value": None, **more}


@pytest.mark.parametrize(
    ("reads", "title"),
    [
        (1, "digits on the test split, read 1 time by the judge so far"),
        (3, "digits on the test split, read 3 times by the judge so far"),
        (None, "digits on the test split"),
    ],
)
def test_the_title_says_how_often_the_test_split_was_read(reads: int | None, title: str) -> None:
    assert judged_title("digits", reads) == title


def test_the_cost_line_names_the_machine_of_the_venture() -> None:
    cost = {"machine": "2 vCPU cloud instance", "currency": "USD", "calls_per_second": 512.0, "monthly_value": 90.5}
    assert cost_line(cost) == (
        "Cost on 2 vCPU cloud instance, measured here: 512 calls/s through the real server, worth 90.50 USD a month."
    )


def test_why_a_candidate_has_no_rate_stands_below_the_table() -> None:
    note = "no level of load kept p99 within 5 ms"
    view = candidates_view([row(note=note), row(name="other", rejected="dearer", note=note)], "USD")
    assert view.note.splitlines()[1:] == [f"int8 on onnxruntime: {note}", "other on onnxruntime: dearer"]
