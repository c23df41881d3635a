"""Small pictures for pages."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from modelmint.data.errors import NotAPicture
from modelmint.data.preview import SIDE, preview


def saved(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("size", "side", "wanted"),
    [((1200, 600), SIDE, (192, 96)), ((300, 900), 256, (85, 256)), ((8, 6), SIDE, (8, 6))],
)
def test_a_large_picture_is_made_small_in_its_proportions_and_a_small_one_stays(
    size: tuple[int, int], side: int, wanted: tuple[int, int]
) -> None:
    for form in ("PNG", "JPEG"):
        with Image.open(io.BytesIO(preview(saved(noise(*size), form), side))) as shown:
            assert (shown.format, shown.size) == ("PNG", wanted)


def test_nothing_but_pixels_comes_through() -> None:
    picture, exif, text = noise(20, 20), Image.Exif(), PngImagePlugin.PngInfo()
    exif[0x010E] = "patient 4711"
    text.add_text("name", "patient 4711")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for payload in (
        saved(picture, pnginfo=text, exif=exif, icc_profile=profile, dpi=(72, 72)),
        saved(picture, "JPEG", exif=exif, icc_profile=profile, comment="patient 4711"),
        saved(picture, "WEBP", exif=exif, icc_profile=profile),
    ):
        found = preview(payload)
        chunks, place = [], 8
        while place < len(found):
            chunks.append(found[place + 4 : place + 8])
            place += 12 + int.from_bytes(found[place : place + 4], "big")
        assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(NotAPicture):
        preview(b"hello")
