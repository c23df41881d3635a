"""A small picture to look at on a page: bounded in pixels and bytes whatever the row holds."""

from __future__ import annotations

import io

from PIL import Image

#: Longest side in pixels. Smaller pictures stay as they are: the page enlarges them with their pixels visible.
SIDE = 192


def preview(picture: Image.Image) -> bytes:
    """PNG of at most ``SIDE`` pixels on a side, its proportions kept."""
    small = picture.copy()
    small.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
    buffer = io.BytesIO()
    small.save(buffer, format="PNG")
    return buffer.getvalue()
