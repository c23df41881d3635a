"""All pairs of rows that are alike under one of several views, found with one short product a pair.

1. A view of a row must lie within an angle of another row. All views of a row lie within a radius of their centre, so
   the other row lies within angle and radius of that centre, whichever view it is: one product in place of one a view.
2. A product is bounded from above by its first coordinates, in a basis in which they hold most, and the lengths of the
   rest (Cauchy and Schwarz): 22 numbers in place of all. What passes 1 so is bounded once more, view by view.
3. What passes both is compared. What is found is what comparing everything with everything finds.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from modelmint.kit.arrays import AnyArray, BoolArray, FloatArray, IntArray
from modelmint.kit.progress import Progress

#: Rows and columns of one product, and how many are made at once: they stay in the processor's cache, and each is
#: small enough that the BLAS keeps it in one thread (threads that wait for each other cost several times the product).
_TILE, _AT_ONCE, _PLACES = 128, 8, 512
#: Coordinates of the bounds; one more holds the length of the rest, one what the product has to reach.
_FIRST = 22
#: What rounding in 32 bits may take away.
_SLACK = 1e-3


class _Bounds(NamedTuple):
    """Where a product with a column is below 0, the pair is ruled out."""

    #: ``[n, k]``: by any view of the row.
    rows: FloatArray
    #: ``[n, views, k]``: by this view.
    views: FloatArray
    #: ``[n, k]``
    columns: FloatArray


def alike_pairs(whole: FloatArray, seen: FloatArray, bound: float, most: int, progress: Progress) -> IntArray:
    """Pairs of places ``[pairs, 2]``, the smaller first, each once, in order.

    ``whole[n, d]`` are the rows and ``seen[n, views, d]`` what they are under each view, both of length 1 at most. A
    pair is one where ``seen[a, view] @ whole[b] >= bound`` (over 0) under any view; of those of one ``a`` under one
    view the ``most`` highest, the lower place first where they are equal. Work grows with the square of ``n``, at
    one to two nanoseconds a pair where few are alike.
    """
    count = len(whole)
    bounds = _bounds(whole, seen, bound)
    tiles = _tiles(bounds.columns)
    found = [np.empty(0, dtype=np.int64)]
    with progress.bar("looking for near duplicates", count) as bar:
        for start in range(0, count, _TILE):
            near, columns = _candidates(bounds.rows[start : start + _TILE], tiles, count)
            edges = np.searchsorted(near, np.arange(min(_TILE, count - start) + 1)).tolist()
            for row, (first, last) in enumerate(pairwise(edges), start):
                left = _possible(bounds.views[row], bounds.columns, columns[first:last])
                partners = _partners(seen[row], whole, left[left != row], bound, most)
                found.append(np.minimum(row, partners) * count + np.maximum(row, partners))
            bar.advance(min(_TILE, count - start))
    keys = np.unique(np.concatenate(found))
    return np.stack([keys // max(count, 1), keys % max(count, 1)], axis=1)


def _candidates(rows: FloatArray, tiles: FloatArray, count: int) -> tuple[IntArray, IntArray]:
    """Places in ``rows`` and columns that are not ruled out, in order of both."""
    product = np.empty((_AT_ONCE, len(rows), _TILE), dtype=np.float32)
    near, columns = [], []
    for start in range(0, len(tiles), _AT_ONCE):
        some = tiles[start : start + _AT_ONCE]
        left = np.flatnonzero(np.matmul(rows, some, out=product[: len(some)]) >= 0)
        tile, place = np.divmod(left, len(rows) * _TILE)
        row, column = np.divmod(place, _TILE)
        near.append(row)
        columns.append((start + tile) * _TILE + column)
    of, at = np.concatenate(near), np.concatenate(columns)
    of, at = of[at < count], at[at < count]  # the last tile is filled up
    ordered: IntArray = np.argsort(of, kind="stable")
    return of[ordered], at[ordered]


def _possible(views: FloatArray, columns: FloatArray, candidates: IntArray) -> IntArray:
    """Those of the candidates that one view of the row does not rule out."""
    left: IntArray = candidates[(_products(views, columns, candidates) >= 0).any(axis=0)]
    return left


def _partners(seen: FloatArray, whole: FloatArray, candidates: IntArray, bound: float, most: int) -> IntArray:
    """Those of the candidates (in order) that are alike with the row, under each of its views the ``most`` highest."""
    alike = _products(seen, whole, candidates)
    passed = alike >= bound
    for view in np.flatnonzero(np.count_nonzero(passed, axis=1) > most):
        passed[view] = _highest(alike[view], most)
    partners: IntArray = candidates[passed.any(axis=0)]
    return partners


def _highest(values: FloatArray, most: int) -> BoolArray:
    """Where the ``most`` highest are, the first of equal ones."""
    least = np.partition(values, -most)[-most]
    kept: BoolArray = values > least
    kept[np.flatnonzero(values == least)[: most - int(kept.sum())]] = True
    return kept


def _products(views: FloatArray, vectors: FloatArray, places: IntArray) -> FloatArray:
    """``[views, places]``: of each view with the vector at each place."""
    found = np.empty((len(views), len(places)), dtype=np.float32)
    for start in range(0, len(places), _PLACES):
        found[:, start : start + _PLACES] = views @ vectors[places[start : start + _PLACES]].T
    return found


def _bounds(whole: FloatArray, seen: FloatArray, bound: float) -> _Bounds:
    centres, least = _centres(seen, bound)
    _, basis = np.linalg.eigh(np.asarray(whole.T @ whole, dtype=np.float64))
    turn = basis[:, ::-1].astype(np.float32)
    enough = np.full(seen.shape[:2], bound - _SLACK, dtype=np.float32)
    return _Bounds(
        _shortened(centres @ turn, -least),
        _shortened(seen @ turn, -enough),
        _shortened(whole @ turn, np.ones(len(whole), dtype=np.float32)),
    )


def _shortened(turned: FloatArray, last: FloatArray) -> FloatArray:
    """The first coordinates, the length of the rest, and ``last``."""
    rest = np.linalg.norm(turned[..., _FIRST:], axis=-1)
    return np.concatenate([turned[..., :_FIRST], rest[..., None], last[..., None]], axis=-1)


def _tiles(columns: FloatArray) -> FloatArray:
    """``[tiles, k, _TILE]``, filled up with 0."""
    filled = np.zeros((-len(columns) % _TILE, columns.shape[1]), dtype=np.float32)
    tiles = np.concatenate([columns, filled]).reshape(-1, _TILE, columns.shape[1])
    return np.ascontiguousarray(tiles.transpose(0, 2, 1))


def _centres(seen: FloatArray, bound: float) -> tuple[FloatArray, FloatArray]:
    """The middle of each row's views ``[n, d]``, and the least product with it that a row alike may have ``[n]``."""
    lengths = np.linalg.norm(seen, axis=2, keepdims=True)
    able = lengths[..., 0] >= bound - _SLACK  # a shorter one is alike with nothing
    views = np.where(able[..., None], seen / np.maximum(lengths, _SLACK), 0)
    middle = views.sum(axis=1)
    length = np.linalg.norm(middle, axis=1)
    centres = middle / np.maximum(length, _SLACK)[:, None]
    nearest: AnyArray = np.where(able, np.einsum("nvd,nd->nv", views, centres), 1).min(axis=1)
    nearest[length < _SLACK] = -1  # views on all sides have no middle
    radius = np.arccos(np.clip(nearest, -1, 1))
    least = np.cos(np.minimum(radius + np.arccos(bound), np.pi)) - _SLACK
    return centres.astype(np.float32), np.where(able.any(axis=1), least, 2).astype(np.float32)
