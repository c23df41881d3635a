"""Load tests on a machine that others use too."""

from __future__ import annotations

from pathlib import Path

from modelmint.serving.types import LoadPoint, LoadResult, LoadTestRequest
from modelmint.workshop.steps.price import LOAD_LIMIT, _quietest

REQUEST = LoadTestRequest(Path("release"), "onnxruntime", 1, (b"x",), 50.0)


def tried_with(*loads: float) -> tuple[list[float], LoadResult]:
    asked: list[float] = []

    def load_test(_: LoadTestRequest) -> LoadResult:
        asked.append(loads[len(asked)])
        point = LoadPoint(1, 100, 50.0, 1.0, 2.0, 0.5, 0)
        return LoadResult((point,), point, 50.0, 1, "onnxruntime", 1, 0.1, asked[-1], 1.0)

    return asked, _quietest(load_test, REQUEST)


def test_a_quiet_load_test_is_made_once() -> None:
    assert tried_with(LOAD_LIMIT)[0] == [LOAD_LIMIT]


def test_a_disturbed_load_test_is_repeated_until_one_is_quiet() -> None:
    asked, kept = tried_with(1.2, 0.1, 9.9)
    assert asked == [1.2, 0.1]
    assert kept.load == 0.1


def test_of_three_disturbed_load_tests_the_quietest_is_kept() -> None:
    asked, kept = tried_with(1.2, 0.7, 0.9)
    assert asked == [1.2, 0.7, 0.9]
    assert kept.load == 0.7
