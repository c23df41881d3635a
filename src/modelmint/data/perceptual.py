"""What a picture looks like, in 57 numbers: the basis for finding near duplicates and for comparing splits.

The block of low frequencies that the perceptual hash of Zauner (2010, *Implementation and benchmarking of perceptual
image hash functions*, chapter 3) takes its signs from. Here the coefficients stay: where all pictures look alike, as
chest X-rays do, the signs do not tell a copy from its neighbours (of 5,827 X-rays at 28 x 28, a copy cropped by 5 % has
by signs 27 closer strangers in one case of twenty; by coefficients it is the closest in every case).

A copy may have been cropped, which moves every coefficient. So a picture is also looked at through *views*: what it
would be with up to a tenth of each side cut off. Views are linear in the thumbnail, so they cost a matrix product.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from modelmint.kit.arrays import AnyArray, Float64Array, FloatArray

#: Side of a thumbnail, and how far its frequencies are looked at (in half waves over the picture).
SIDE, _REACH = 32, 8
#: Spread of greys from which on a picture shows something: blank ones are all alike.
_BLANK = 2.0
#: Pictures at a time: the spread of greys is counted in 64 bits a pixel.
_BLOCK = 2048
#: Shares of a side that a crop may take away in all; the trial is finer than the search.
_CUTS = (0.025, 0.05, 0.075, 0.1)
_PLACES = (0.0, 0.5, 1.0)


class View(NamedTuple):
    """The part of a picture that is looked at: shares of its width and height."""

    left: float
    right: float
    top: float
    bottom: float


WHOLE = View(0.0, 1.0, 0.0, 1.0)


def _view(cut: float, x: float, y: float) -> View:
    return View(x * cut, 1 - cut + x * cut, y * cut, 1 - cut + y * cut)


#: Every crop that a candidate is tried under: 9 places, 4 sizes, and the whole.
FINE = (WHOLE, *(_view(cut, x, y) for cut in _CUTS for x in _PLACES for y in _PLACES))
#: Few enough to try on all pairs: the whole, five crops of 5 %, one of 10 %.
COARSE = (WHOLE, *(_view(0.05, x, y) for x, y in ((0, 0), (0, 1), (0.5, 0.5), (1, 0), (1, 1))), _view(0.1, 0.5, 0.5))


def thumbnail(picture: Image.Image) -> bytes:
    """``SIDE * SIDE`` greys of a picture in mode ``L`` or ``RGB``, row by row, its proportions left aside."""
    grey = picture.convert("L")
    return grey.resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0).tobytes()


def pixels_of(thumbnails: list[bytes]) -> AnyArray:
    """``uint8[n, SIDE, SIDE]``."""
    return np.frombuffer(b"".join(thumbnails), dtype=np.uint8).reshape(-1, SIDE, SIDE)


def coefficients(pixels: AnyArray, view: View = WHOLE) -> FloatArray:
    """``float32[n, 57]``: the low frequencies of ``pixels[n, SIDE, SIDE]`` seen through ``view``, the mean left out."""
    down, across = _operator(view.top, view.bottom), _operator(view.left, view.right)
    blocks = down @ pixels.astype(np.float32) @ across.T
    found: FloatArray = blocks[:, _KEPT]
    return found


def directions(pixels: AnyArray, view: View = WHOLE) -> FloatArray:
    """``coefficients`` of length 1, so that a product of two is their correlation; 0 for a blank picture."""
    turned = np.empty((len(pixels), int(_KEPT.sum())), dtype=np.float32)
    for start in range(0, len(pixels), _BLOCK):
        block = pixels[start : start + _BLOCK]
        found = coefficients(block, view)
        length = np.linalg.norm(found, axis=1, keepdims=True)
        shown = block.reshape(len(block), SIDE * SIDE).std(axis=1, keepdims=True) >= _BLANK
        turned[start : start + _BLOCK] = np.where(shown, found / np.maximum(length, 1e-6), 0)
    return turned


def _cosines() -> FloatArray:
    """Rows of the orthonormal DCT-II up to ``_REACH`` (Ahmed, Natarajan & Rao 1974): ``[_REACH + 1, SIDE]``."""
    waves, places = np.arange(_REACH + 1)[:, None], np.arange(SIDE)[None, :]
    rows: Float64Array = np.cos(np.pi * waves * (2 * places + 1) / (2 * SIDE)) * np.sqrt(2 / SIDE)
    rows[0] /= np.sqrt(2)
    return rows.astype(np.float32)


def _operator(start: float, end: float) -> FloatArray:
    """``[_REACH + 1, SIDE]``: cut ``[start, end]`` out of a side, stretch it linearly to ``SIDE``, transform it."""
    places = (start + (end - start) * (np.arange(SIDE) + 0.5) / SIDE) * SIDE - 0.5
    places = np.clip(places, 0, SIDE - 1)
    below = np.floor(places).astype(int)
    above = np.minimum(below + 1, SIDE - 1)
    share = places - below
    sampled = np.zeros((SIDE, SIDE))
    sampled[np.arange(SIDE), below] += 1 - share
    sampled[np.arange(SIDE), above] += share
    return (_DCT @ sampled).astype(np.float32)


_DCT = _cosines()
_WAVES = np.arange(_REACH + 1)
_FREQUENCY = np.hypot(_WAVES[:, None], _WAVES[None, :])
_KEPT = (_FREQUENCY > 0) & (_FREQUENCY <= _REACH)
