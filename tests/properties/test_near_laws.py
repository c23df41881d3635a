"""What a search finds that leaves most pairs out is what comparing every pair finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelmint.data.alike import alike_pairs
from modelmint.kit.arrays import FloatArray
from modelmint.kit.progress import Silent

#: Products of 32 bits made in another order differ by less.
ROUNDING = 1e-5


def rows_seen(
    rng: np.random.Generator, count: int, size: int, kinds: int, spread: float, moved: float
) -> tuple[FloatArray, FloatArray]:
    """Rows around ``kinds`` middles and three views of each: unit vectors; some rows show nothing, some are equal."""
    middles = rng.standard_normal((kinds, size))
    whole = middles[rng.integers(0, kinds, count)] + spread * rng.standard_normal((count, size))
    whole *= rng.random(size) ** 3  # few coordinates hold most, as in pictures
    seen = whole[:, None] + moved * whole.std() * rng.standard_normal((count, 3, size))
    seen[:, 0] = whole
    equal = rng.integers(0, count, (2, count // 10))
    whole[equal[0]], seen[equal[0]] = whole[equal[1]], seen[equal[1]]
    seen[rng.random((count, 3)) < 0.05] *= -1
    blank = rng.random(count) < 0.05
    whole[blank], seen[blank] = 0, 0
    return unit(whole), unit(seen)


def unit(vectors: FloatArray) -> FloatArray:
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)).astype(np.float32)


def by_brute_force(whole: FloatArray, seen: FloatArray, bound: float) -> set[tuple[int, int]]:
    """Every row under every view beside every other row."""
    products = np.einsum("rvd,od->rvo", seen.astype(np.float64), whole.astype(np.float64))
    one, other = np.nonzero((products >= bound).any(axis=1))
    apart = one != other
    return pairs(np.stack([np.minimum(one, other), np.maximum(one, other)], axis=1)[apart])


def pairs(found: np.ndarray) -> set[tuple[int, int]]:
    return {(one, other) for one, other in found.tolist()}


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 260),
    st.sampled_from([2, 10, 22, 23, 57]),
    st.sampled_from([1, 3, 40, 300]),
    st.sampled_from([0.05, 0.3, 1.0]),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.sampled_from([0.5, 0.9, 0.96]),
)
def test_the_search_finds_what_comparing_every_pair_finds(
    seed: int, count: int, size: int, kinds: int, spread: float, moved: float, bound: float
) -> None:
    whole, seen = rows_seen(np.random.default_rng(seed), count, size, kinds, spread, moved)
    found = pairs(alike_pairs(whole, seen, bound, count, Silent()))
    assert by_brute_force(whole, seen, bound + ROUNDING) <= found
    assert found <= by_brute_force(whole, seen, bound - ROUNDING)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(20, 200), st.integers(1, 16))
@example(5, 1300, 3)  # more rows than are multiplied at once
def test_of_a_crowd_each_row_keeps_the_highest(seed: int, count: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    middle = rng.standard_normal(57)
    whole = unit(middle + 0.1 * rng.standard_normal((count, 57)))
    found = pairs(alike_pairs(whole, whole[:, None], 0.5, most, Silent()))
    products = whole.astype(np.float64) @ whole.T.astype(np.float64)
    np.fill_diagonal(products, -1)
    last = np.sort(products, axis=1)[:, -most]
    sure = {(min(one, two), max(one, two)) for one, two in np.argwhere(products >= last[:, None] + ROUNDING).tolist()}
    perhaps = {
        (min(one, two), max(one, two)) for one, two in np.argwhere(products >= last[:, None] - ROUNDING).tolist()
    }
    assert sure <= found <= perhaps


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_rows_are_pairs_or_none(count: int) -> None:
    whole = np.ones((count, 1), dtype=np.float32)
    found = alike_pairs(whole, whole[:, None], 0.96, 16, Silent())
    assert found.shape == (max(count - 1, 0), 2)
