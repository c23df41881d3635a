"""Rates and error shares come from the release's own signed statements."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from modelmint.kit.clock import SystemClock
from modelmint.kit.estimate import Estimate
from modelmint.kit.machine import this_machine
from modelmint.operations.measured import rates
from modelmint.releases import statements
from modelmint.releases.bundle import Release
from modelmint.testing.releases import brightness_release

HERE = this_machine().fingerprint
WRONG = {"value": 0.02, "low": 0.01, "high": 0.04, "n": 500, "level": 0.95}
COST: dict[str, Any] = {
    "candidate": "int8@onnxruntime",
    "calls_per_second": 632.82,
    "wrong_share": WRONG,
    "abstained_share": 0.1,
    "load_test": {"p99_limit_ms": 50.0},
    "measured_on": {"processor": "AMD EPYC", "cores": 2},
}
ROWS = [
    {"name": "torch-fp32", "engine": "torch", "calls_per_second": None, "chosen": False},
    {"name": "int8", "engine": "onnxruntime", "calls_per_second": 632.82, "chosen": True},
    {"name": "onnx-fp32", "engine": "openvino", "calls_per_second": 900, "wrong_share": WRONG, "chosen": False},
]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return brightness_release(tmp_path / "releases")


def state(release: Release, kind: str, body: dict[str, Any], machine: str = HERE) -> None:
    statements.add(release, kind, body, release.path.parent.parent / "key.pem", machine, SystemClock())


def test_without_a_statement_nothing_is_known(release: Release) -> None:
    assert rates(release, "brightness") is None


def test_the_released_candidate_comes_first_and_those_that_were_load_tested_follow(release: Release) -> None:
    state(release, "cost", COST)
    state(release, "timings", {"candidates": ROWS})
    found = rates(release, "brightness")
    assert found is not None and found.here and (found.processor, found.cores) == ("AMD EPYC", 2)
    assert [(one.key, one.released) for one in found.candidates] == [
        ("int8@onnxruntime", True), ("onnx-fp32@openvino", False),
    ]  # fmt: skip
    first, other = (one.measured for one in found.candidates)
    assert (first.calls_per_second, first.left_open, first.limited) == (Decimal("632.82"), Decimal("0.1"), True)
    assert first.wrong == Estimate(0.02, 0.01, 0.04, 500)
    assert (other.calls_per_second, other.left_open) == (Decimal("900"), None)


def test_this_machine_is_believed_before_a_newer_measurement_of_another(release: Release) -> None:
    state(release, "cost", COST)
    state(release, "cost", COST | {"calls_per_second": 5.0}, machine="f" * 16)
    found = rates(release, "brightness")
    assert found is not None and found.here
    assert found.candidates[0].measured.calls_per_second == Decimal("632.82")


def test_a_measurement_of_another_machine_is_told_as_such(release: Release) -> None:
    state(release, "cost", COST, machine="f" * 16)
    found = rates(release, "brightness")
    assert found is not None and not found.here and found.processor == "AMD EPYC"


def test_models_of_one_release_are_kept_apart(release: Release) -> None:
    state(release, "cost", {"models": {"a": COST, "b": COST | {"calls_per_second": 7.0}}, "measured_on": {}})
    found = rates(release, "b")
    assert found is not None and found.candidates[0].measured.calls_per_second == Decimal("7.0")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"calls_per_second": "fast", "wrong_share": 3, "abstained_share": True, "load_test": [], "measured_on": 7},
        {"calls_per_second": -1, "wrong_share": {"value": 2, "low": 0, "high": 1, "n": 5}, "abstained_share": 1.5},
    ],
)
def test_a_statement_that_says_nothing_usable_measures_nothing(release: Release, body: dict[str, Any]) -> None:
    state(release, "cost", body)
    found = rates(release, "brightness")
    assert found is not None
    measured = found.candidates[0].measured
    assert (measured.calls_per_second, measured.wrong, measured.left_open) == (None, None, None)
