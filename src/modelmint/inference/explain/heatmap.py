"""An explanation as a picture."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from modelmint.data.pictures import as_png, open_sized
from modelmint.inference.explain.types import Explanation
from modelmint.kit.arrays import AnyArray

#: Longest side of a heat map in pixels: large enough to look at, small enough to send in an answer.
LONGEST = 256
#: The limit on pixels was kept when the picture was encoded for its answer.
_ANY_SIZE = 1 << 40
_SHORTEST = 112
#: Colours from cold to hot, equally spaced: matplotlib's "inferno" (CC0) at sevenths. Ordered by lightness, so that
#: it reads in grey and with any colour blindness.
_COLOURS = (
    (0, 0, 4),
    (40, 11, 84),
    (101, 21, 110),
    (159, 42, 99),
    (212, 72, 66),
    (245, 125, 21),
    (250, 193, 39),
    (252, 255, 164),
)
#: How much of the colour covers the picture where it is coldest and where it is hottest.
_COLD, _HOT = 0.25, 0.65


def png(explanation: Explanation, over: bytes | Image.Image | tuple[int, int]) -> bytes:
    """PNG of the map laid over a picture (opened, or as it was sent), or alone at a size (width, height).

    The picture keeps its shape, its longer side is at most 256 pixels, a very small one is enlarged to be seen.
    Raises what ``data.pictures.open_sized`` raises.
    """
    if isinstance(over, bytes):
        over = open_sized(over, _ANY_SIZE, at_least=LONGEST)[0]
    size = _fitted(over if isinstance(over, tuple) else over.size)
    heat = _heat(explanation, size)
    colours = _colours(heat)
    if not isinstance(over, tuple):
        grey = np.asarray(over.convert("L").resize(size, Image.Resampling.BILINEAR), dtype=np.float64)[..., None]
        share = (_COLD + (_HOT - _COLD) * heat)[..., None]
        colours = grey * (1 - share) + colours * share
    return as_png(Image.fromarray(np.rint(colours).astype(np.uint8)))


def png_size(made: bytes) -> tuple[int, int]:
    """Width and height of a PNG that was made here."""
    with Image.open(io.BytesIO(made), formats=("PNG",)) as picture:
        return picture.size


def picture_png(payload: bytes) -> bytes:
    """The picture alone, as PNG at the size of its heat map; raises as ``png``."""
    picture = open_sized(payload, _ANY_SIZE, at_least=LONGEST)[0]
    return as_png(picture.resize(_fitted(picture.size), Image.Resampling.BILINEAR))


def _fitted(size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    longest = max(width, height, 1)
    scale = min(LONGEST / longest, max(1.0, _SHORTEST / longest))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _heat(explanation: Explanation, size: tuple[int, int]) -> AnyArray:
    """Values between the cells' centres by bilinear interpolation, ``[height, width]``, 0 to 1."""
    values = Image.fromarray(np.asarray(explanation.values, dtype=np.float32))
    return np.clip(np.asarray(values.resize(size, Image.Resampling.BILINEAR), dtype=np.float64), 0.0, 1.0)


def _colours(heat: AnyArray) -> AnyArray:
    table = np.asarray(_COLOURS, dtype=np.float64)
    places = np.linspace(0, 1, len(table))
    return np.stack([np.interp(heat, places, table[:, channel]) for channel in range(3)], axis=-1)
