from __future__ import annotations

import numpy as np
import pytest

from modelmint.inference.quantiles import block_quantile, quantile


def test_the_median_interval_of_a_hundred_samples_lies_between_ranks_40_and_61() -> None:
    found = quantile([float(v) for v in range(1, 101)], 0.5)
    assert (found.value, found.low, found.high, found.n) == (50.5, 40.0, 61.0, 100)


def test_the_interval_holds_the_true_median_about_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(1000):
        found = quantile(rng.exponential(size=61).tolist(), 0.5)
        held += found.low <= np.log(2) <= found.high
    assert 940 <= held <= 985


def test_resampling_whole_blocks_holds_the_true_median_where_calls_of_a_block_resemble_each_other() -> None:
    rng = np.random.default_rng(1)
    held_by_blocks = held_by_calls = 0
    for seed in range(200):
        blocks = rng.normal(size=(40, 1)) + 0.1 * rng.normal(size=(40, 10))
        by_blocks = block_quantile(blocks.tolist(), 0.5, seed)
        by_calls = quantile(blocks.ravel().tolist(), 0.5)
        held_by_blocks += by_blocks.low <= 0 <= by_blocks.high
        held_by_calls += by_calls.low <= 0 <= by_calls.high
    assert held_by_blocks >= 176
    assert held_by_calls < 160  # what the interval would claim if calls were counted as independent


def test_one_sample_is_its_own_interval() -> None:
    assert quantile([3.0], 0.99) == block_quantile([[3.0]], 0.99)
    assert quantile([3.0], 0.99).high == 3.0


def test_the_same_seed_gives_the_same_interval() -> None:
    blocks = np.random.default_rng(0).random((10, 5)).tolist()
    assert block_quantile(blocks, 0.99, 4) == block_quantile(blocks, 0.99, 4)


def test_no_samples_are_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        quantile([], 0.5)
    with pytest.raises(ValueError, match="at least one"):
        block_quantile([], 0.5)
