"""A picture as a page shows it: small, decoded and written anew, so that nothing but pixels reaches a browser."""

from __future__ import annotations

import io

from PIL import Image

from modelmint.data.pictures import open_sized
from modelmint.kit.errors import ModelmintError

#: Longest side in pixels, that of heat maps.
SIDE = 256
#: A model has taken it already, so it is not too large.
_ANY_SIZE = 1 << 40


def preview(content: bytes) -> bytes:
    """PNG of a picture that a model has taken; empty where it cannot be shown."""
    try:
        picture = open_sized(content, _ANY_SIZE, at_least=2 * SIDE)[0]
    except ModelmintError:
        return b""
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
