"""Near duplicates: the same picture resized, encoded anew or cropped a little. Three looks, each stricter.

1. Every pair by 57 coefficients (``perceptual``) and 7 views (``alike``).
2. What is left, by all 37 views.
3. What is left, by its pixels: cropped to fit as exactly as it goes, grey correlated with grey, colour beside colour.

The bounds were set on the pictures (no labels) of PneumoniaMNIST, where everything looks alike; ``bench/data.py``
plants copies under other seeds and prints recall and precision, and what 50,000 pictures cost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

from modelmint.data.alike import alike_pairs
from modelmint.data.perceptual import COARSE, FINE, View, directions
from modelmint.kit.arrays import AnyArray, BoolArray, FloatArray, IntArray
from modelmint.kit.progress import Progress

#: Correlation from which on a pair passes each look.
_FIRST, _SECOND, _PIXELS = 0.96, 0.985, 0.975
#: A picture with a side of fewer pixels says too little: only copies that fit without any crop, and almost exactly.
_TINY, _TINY_ALIKE = 12, 0.997
#: Largest mean difference of colour (Cb, Cr; of 255) of two copies.
_COLOUR = 10.0
#: Pixels on a side in the last look, and their share of what the smaller picture has: the last ones are noise.
_LEAST_SIDE, _MOST_SIDE, _SHARE = 12, 96, 0.75
#: Finer and finer moves of the crop's edges, as shares of a side.
_MOVES = (0.02, 0.01, 0.005)
_MOST_CUT = 0.12
_PAIRS = 65_536
#: Partners of one row that are looked at further, of those found under one view and of those found under all: a film
#: of a thousand like frames must not become half a million comparisons.
_PARTNERS, _CLOSEST = 16, 3


Load = Callable[[int], Image.Image]


@dataclass(frozen=True, slots=True)
class Twins:
    """Two rows by their places, and how alike they are: the correlation of their pixels, at most 1."""

    first: int
    second: int
    alike: float


def near_twins(pixels: AnyArray, least_sides: IntArray, load: Load, progress: Progress) -> list[Twins]:
    """Pairs of near duplicates in the order of their places: of every row the closest few.

    ``pixels`` ``uint8[n, 32, 32]`` are thumbnails, ``least_sides`` ``[n]`` the shorter side of each picture in pixels;
    ``load(place)`` gives the picture itself, which is asked for of the pairs that passed the first two looks only.
    """
    pairs = _first_look(pixels, progress)
    whole, cut, views, alike = _second_look(pixels, pairs)
    kept = (alike >= _SECOND) & _among_closest(whole, cut, alike, len(pixels))
    tiny = least_sides < _TINY
    opened = lru_cache(maxsize=64)(load)
    found = []
    with progress.bar("comparing near duplicates", int(kept.sum())) as bar:
        for first, second, view, close in zip(
            *(each[kept].tolist() for each in (whole, cut, views, alike)), strict=True
        ):
            if tiny[first] or tiny[second]:
                exact = close if view == 0 and close >= _TINY_ALIKE else None
            else:
                exact = _same_pixels(opened(first), opened(second), FINE[view])
            if exact is not None:
                found.append(Twins(min(first, second), max(first, second), round(exact, 4)))
            bar.advance()
    return sorted(found, key=lambda pair: (pair.first, pair.second))


def _first_look(pixels: AnyArray, progress: Progress) -> IntArray:
    """Pairs of places ``[pairs, 2]``, the smaller first, that are alike under one of the coarse views."""
    seen = np.stack([directions(pixels, view) for view in COARSE], axis=1)
    return alike_pairs(seen[:, 0].copy(), seen, _FIRST, _PARTNERS, progress)


def _second_look(pixels: AnyArray, pairs: IntArray) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """For every pair: which is whole, which is the closest when cropped, under which of all views, how alike."""
    involved, places = np.unique(pairs, return_inverse=True)
    places = places.reshape(-1, 2)
    shown = pixels[involved]
    whole = directions(shown)
    best = np.full(len(pairs), -1.0, dtype=np.float32)
    views, turned = np.zeros(len(pairs), dtype=np.int64), np.zeros(len(pairs), dtype=bool)
    for number, view in enumerate(FINE):
        seen = directions(shown, view)
        for swap in (False, True) if number else (False,):
            for start in range(0, len(pairs), _PAIRS):
                block = slice(start, start + _PAIRS)
                uncut, cut = places[block, int(swap)], places[block, 1 - int(swap)]
                alike = np.einsum("ij,ij->i", whole[uncut], seen[cut])
                better = alike > best[block]
                best[block][better], views[block][better], turned[block][better] = alike[better], number, swap
    first, second = pairs[:, 0], pairs[:, 1]
    return np.where(turned, second, first), np.where(turned, first, second), views, best


def _among_closest(whole: IntArray, cut: IntArray, alike: FloatArray, count: int) -> BoolArray:
    """Which pairs are, for at least one of their two rows, among its ``_CLOSEST``."""
    kept = np.zeros(len(alike), dtype=bool)
    seen = np.zeros(count, dtype=np.int64)
    for pair in np.argsort(-alike, kind="stable").tolist():
        one, other = whole[pair], cut[pair]
        kept[pair] = seen[one] < _CLOSEST or seen[other] < _CLOSEST
        seen[one] += 1
        seen[other] += 1
    return kept


def _same_pixels(whole: Image.Image, cut: Image.Image, view: View) -> float | None:
    """How alike two pictures are when ``cut`` is cropped to fit ``whole``; None where they are not the same."""
    side = int(np.clip(_SHARE * min(*whole.size, *cut.size), _LEAST_SIDE, _MOST_SIDE))
    wanted = _standard(np.asarray(_seen(whole.convert("L"), View(0, 1, 0, 1), side), dtype=np.float32))
    grey = cut.convert("L")

    def fit(edges: View) -> float:
        return float((wanted * _standard(np.asarray(_seen(grey, edges, side), dtype=np.float32))).sum())

    best, edges = fit(view), view
    for move in _MOVES:
        for edge in range(4):
            for step in (-move, move):
                tried = View(*(value + step * (place == edge) for place, value in enumerate(edges)))
                if _allowed(tried) and (found := fit(tried)) > best:
                    best, edges = found, tried
    if best < _PIXELS or not _same_colour(whole, _seen(cut, edges, side)):
        return None
    return min(best, 1.0)


def _allowed(edges: View) -> bool:
    return (
        0 <= edges.left <= _MOST_CUT
        and 0 <= edges.top <= _MOST_CUT
        and (1 - _MOST_CUT <= edges.right <= 1 and 1 - _MOST_CUT <= edges.bottom <= 1)
    )


def _seen(picture: Image.Image, view: View, side: int) -> Image.Image:
    width, height = picture.size
    box = (view.left * width, view.top * height, view.right * width, view.bottom * height)
    return picture.resize((side, side), Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)


def _standard(grey: FloatArray) -> FloatArray:
    """Mean 0, length 1."""
    centred = grey - grey.mean()
    scaled: FloatArray = centred / max(float(np.linalg.norm(centred)), 1e-6)
    return scaled


def _same_colour(whole: Image.Image, seen: Image.Image) -> bool:
    """Whether the colours of two pictures are the same, but for what JPEG does to them."""
    if whole.mode == "L" and seen.mode == "L":
        return True
    one = np.asarray(whole.convert("YCbCr").resize(seen.size, Image.Resampling.BICUBIC), dtype=np.float32)
    other = np.asarray(seen.convert("YCbCr"), dtype=np.float32)
    return float(np.abs(one - other)[..., 1:].mean()) <= _COLOUR
