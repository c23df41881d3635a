from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.tune import choose_threads, tune_threads
from modelmint.inference.types import Timing
from modelmint.kit.estimate import Estimate


def timing(cpu: float, wall: float, threads: int) -> Timing:
    cpu_ms, wall_ms = (Estimate(v, v, v, 10) for v in (cpu, wall))
    return Timing(cpu_ms, wall_ms, wall_ms, threads, 0.0, disturbed=False)


@pytest.mark.parametrize(
    ("figures", "chosen"),
    [
        ({1: (10.0, 10.0), 2: (10.5, 5.5)}, 2),
        ({1: (10.0, 10.0), 2: (11.5, 5.5)}, 1),
        ({1: (10.0, 10.0), 2: (10.0, 9.5)}, 1),
        ({1: (10.0, 10.0), 2: (10.5, 6.0), 4: (10.9, 4.0)}, 4),
        ({1: (10.0, 10.0), 2: (10.5, 6.0), 4: (12.0, 4.0)}, 2),
        ({1: (10.0, 10.0), 2: (12.0, 9.8), 4: (10.5, 4.0)}, 4),
    ],
    ids=["faster", "faster-but-dearer", "hardly-faster", "ever-faster", "dearer-at-four", "over-a-bad-two"],
)
def test_more_threads_only_where_faster_by_a_tenth_and_hardly_dearer(
    figures: dict[int, tuple[float, float]], chosen: int
) -> None:
    assert choose_threads({count: timing(cpu, wall, count) for count, (cpu, wall) in figures.items()}) == chosen


def test_a_tiny_graph_gets_one_of_the_counts_asked_for(tiny_graph: Path) -> None:
    batch = np.zeros((1, 3, 16, 16), dtype=np.float32)
    assert tune_threads(ENGINES.get("onnxruntime"), tiny_graph, batch, [1, 2], rounds=3) in (1, 2)
    assert tune_threads(ENGINES.get("onnxruntime"), tiny_graph, batch, [3]) == 3
