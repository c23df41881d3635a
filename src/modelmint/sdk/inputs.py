"""What a program has in its hands, as the bytes that a customer would send: one encode for both."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from modelmint.kit.errors import InvalidInput
from modelmint.sdk.errors import NotPredictable

if TYPE_CHECKING:
    from PIL import Image

#: A file or a folder, encoded bytes, a Pillow picture, or pixels ``[height, width]`` or ``[height, width, 1 | 3 | 4]``.
One: TypeAlias = Union[str, Path, bytes, "Image.Image", "np.ndarray[Any, Any]"]
Named: TypeAlias = tuple[str, Path | bytes | InvalidInput]


def is_one(given: object) -> bool:
    """Whether ``given`` is one input, so that its answer is one too: no folder, no batch, no list of inputs."""
    if isinstance(given, str | Path):
        return not Path(given).is_dir()
    if isinstance(given, np.ndarray):
        return given.ndim < 4
    return isinstance(given, bytes | bytearray | memoryview) or _is_picture(given)


def named(given: One | Iterable[One]) -> Iterator[Named]:
    """Each input with a name: its path, or its place. What cannot be taken for one is the error that says so."""
    from modelmint.operations.local_predict import files_below

    if isinstance(given, str | Path):
        for file in [Path(given)] if is_one(given) else files_below(Path(given)):
            yield str(file), file
        return
    several = [given] if is_one(given) else given
    if not isinstance(several, Iterable):
        raise _unknown(given)
    for place, one in enumerate(several):
        name = str(one) if isinstance(one, str | Path) else f"#{place}"
        try:
            yield name, _source(one)
        except NotPredictable as error:
            yield name, error


def _source(one: object) -> Path | bytes:
    if isinstance(one, str | Path):
        return Path(one)
    if isinstance(one, bytes | bytearray | memoryview):
        return bytes(one)
    if isinstance(one, np.ndarray):
        return _png_of_pixels(one)
    if _is_picture(one):
        return _png(one)
    raise _unknown(one)


def _is_picture(one: object) -> bool:
    from PIL import Image

    return isinstance(one, Image.Image)


def _png_of_pixels(pixels: np.ndarray[Any, Any]) -> bytes:
    from PIL import Image

    if pixels.dtype != np.uint8:
        raise NotPredictable(
            f"expected pixels as uint8, 0 to 255; found {pixels.dtype}. Where they run from 0 to 1: "
            "(pixels * 255).round().astype('uint8')"
        )
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim != 2 and not (pixels.ndim == 3 and pixels.shape[2] in (3, 4)):
        raise NotPredictable(
            f"expected pixels [height, width] or [height, width, 1, 3 or 4]; found {pixels.shape}. "
            "Several grey pictures go in as list(pixels)"
        )
    if not pixels.size:
        raise NotPredictable(f"expected a picture with pixels in it; found {pixels.shape}")
    return _png(Image.fromarray(np.ascontiguousarray(pixels)))


def _png(picture: Any) -> bytes:
    """Lossless, so that the model sees these very pixels."""
    kept = picture if picture.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else picture.convert("RGB")
    buffer = io.BytesIO()
    try:
        kept.save(buffer, format="PNG", compress_level=1)
    except (OSError, ValueError, SystemError) as error:
        raise NotPredictable(f"this picture cannot be read: {error}") from error
    return buffer.getvalue()


def _unknown(one: object) -> NotPredictable:
    return NotPredictable(
        "expected a path, encoded bytes, a Pillow picture, an array of pixels, or a list of these; "
        f"found {type(one).__name__}"
    )
