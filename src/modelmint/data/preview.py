"""A small picture to look at on a page: decoded and written anew, so that nothing but pixels reaches a browser."""

from __future__ import annotations

from PIL import Image

from modelmint.data.pictures import as_png, open_sized

#: Longest side in pixels. Smaller pictures stay as they are: the page enlarges them with their pixels visible.
SIDE = 192
#: What is shown was taken before, under the limit of that time.
_ANY_SIZE = 2**62


def preview(payload: bytes, side: int = SIDE) -> bytes:
    """PNG of at most ``side`` pixels on a side, its proportions kept; raises ``NotAPicture``, ``TruncatedPicture``."""
    small = open_sized(payload, _ANY_SIZE, at_least=2 * side)[0]
    small.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return as_png(small)
