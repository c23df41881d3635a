"""The masking test: it tells a true map from a wrong one and from none."""

from __future__ import annotations

import numpy as np
import pytest

from modelmint.inference.explain.masking import masking_test, mean_of
from modelmint.kit.arrays import AnyArray
from modelmint.tasks.registry import TASKS
from modelmint.tasks.types import DecisionRule, ModelSpec

TASK = TASKS.get("image-classification")
SPEC = ModelSpec(TASK.name, TASK.default_settings(image_size=28, channels=1), ("no", "yes"), DecisionRule())
COUNT = 40


class Middle:
    """Reads the middle cells of a 7 x 7 grid."""

    def run(self, batch: AnyArray) -> AnyArray:
        level = 5 * batch[:, 0, 8:20, 8:20].mean(axis=(1, 2))
        return np.stack([-level, level], axis=1).astype(np.float32)

    def cam(self, batch: AnyArray) -> AnyArray | None:
        return None


def pictures() -> AnyArray:
    rows = np.random.default_rng(0).normal(-0.5, 0.1, (COUNT, 1, 28, 28)).astype(np.float32)
    rows[:, 0, 8:20, 8:20] += 1.0
    return rows


def told(heat: AnyArray) -> tuple[float, float, float]:
    rows = pictures()
    logits = Middle().run(rows)
    heats = heat if heat.ndim == 3 else [heat] * COUNT
    found = masking_test(Middle(), rows, logits, [1] * COUNT, heats, SPEC)
    assert found.share == 0.102
    assert {one.n for one in (found.hottest, found.random, found.difference)} == {COUNT}
    assert found.difference.value == pytest.approx(found.hottest.value - found.random.value)
    return found.difference.low, found.difference.value, found.difference.high


def test_a_true_map_passes_a_wrong_one_fails_and_a_random_one_is_about_nothing() -> None:
    true = np.zeros((7, 7))
    true[2:5, 2:5] = 1.0
    assert told(true)[0] > 0
    assert told(1 - true)[2] < 0
    low, _, high = told(np.random.default_rng(7).random((COUNT, 7, 7)))
    assert low < 0.2
    assert high > -0.2


@pytest.mark.parametrize("side", [8, 14, 28, 3])
def test_maps_of_any_grid_are_read_by_the_same_cells(side: int) -> None:
    true = np.zeros((side, side))
    true[side // 3 : side - side // 3, side // 3 : side - side // 3] = 1.0
    assert told(true)[0] > 0


def test_the_same_seed_gives_the_same_figures() -> None:
    heat = np.random.default_rng(1).random((COUNT, 7, 7))
    assert told(heat) == told(heat)


def test_without_pictures_there_is_nothing_to_test() -> None:
    with pytest.raises(ValueError, match="at least one picture"):
        masking_test(Middle(), pictures()[:0], np.zeros((0, 2)), [], [], SPEC)


def test_the_interval_of_a_mean_covers_it_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(5)
    hits = 0
    for seed in range(60):
        found = mean_of(generator.exponential(1.0, 60), seed)
        hits += found.low <= 1.0 <= found.high
    assert hits >= 51  # 95 % of 60 is 57; the bootstrap of 60 skewed values falls a little short
