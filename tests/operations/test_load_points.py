"""How a level's calls become its figures."""

from __future__ import annotations

import numpy as np

from modelmint.inference.quantiles import quantile
from modelmint.operations.load_test import _Level, _point


def test_a_levels_quantiles_are_those_of_every_other_timing() -> None:
    seconds = list(np.random.default_rng(3).exponential(0.01, size=57))
    point = _point(4, _Level(seconds=seconds), 1.0, 0.5)
    assert (point.p50_ms, point.p99_ms) == tuple(round(1000 * quantile(seconds, q).value, 3) for q in (0.5, 0.99))


def test_a_level_without_an_answer_has_zeros() -> None:
    point = _point(4, _Level(errors=2), 1.0, 0.5)
    assert (point.calls, point.p50_ms, point.p99_ms, point.errors) == (0, 0.0, 0.0, 2)
