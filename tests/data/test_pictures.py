"""One door for pictures from strangers."""

from __future__ import annotations

import contextlib
import io
import struct
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from modelmint.data.errors import NotAPicture, TooManyPixels, TruncatedPicture
from modelmint.data.pictures import encode_png, is_grey, open_picture

LIMIT = 1_000_000
# pytest lays its own filters over the one in ``pictures``.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::PIL.Image.DecompressionBombWarning")


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=form, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    content = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + content
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize("form", ["PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_lossless_formats_give_the_pixels_that_were_written(form: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 7), dtype=np.uint8)
    options = {"lossless": True} if form == "WEBP" else {}
    opened = open_picture(saved(Image.fromarray(pixels), form, **options), LIMIT)
    assert opened.size == (7, 9)
    assert np.array_equal(np.asarray(opened.convert("L")), pixels)


def test_a_sixteen_bit_grey_is_scaled_to_eight_bits() -> None:
    deep = np.array([[0, 257, 65535], [128 * 257, 300, 1]], dtype=np.uint16)
    opened = open_picture(saved(Image.fromarray(deep), "PNG"), LIMIT)
    assert opened.mode == "L"
    assert np.asarray(opened).tolist() == [[0, 1, 255], [128, 1, 0]]


def test_floating_point_greys_from_zero_to_one_fill_the_range() -> None:
    opened = open_picture(saved(Image.fromarray(np.array([[0.0, 0.5, 1.0]], dtype=np.float32)), "TIFF"), LIMIT)
    assert np.asarray(opened).tolist() == [[0, 128, 255]]


def test_transparency_is_laid_over_white() -> None:
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    opened = open_picture(saved(image, "PNG"), LIMIT)
    assert [opened.getpixel((x, 0)) for x in (0, 1)] == [(255, 0, 0), (255, 255, 255)]


def test_a_palette_with_a_transparent_colour_is_laid_over_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 255, 0, 255, 0])
    image.putpixel((1, 0), 1)
    opened = open_picture(saved(image, "PNG", transparency=1), LIMIT)
    assert [opened.getpixel((x, 0)) for x in (0, 1)] == [(0, 0, 255), (255, 255, 255)]


def test_a_cmyk_jpeg_becomes_rgb() -> None:
    opened = open_picture(saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95), LIMIT)
    red, green, blue = opened.getpixel((8, 8))
    assert opened.mode == "RGB"
    assert red > 200
    assert green < 60
    assert blue < 60


def test_exif_orientation_is_applied() -> None:
    image = Image.new("L", (20, 10), 0)
    image.paste(255, (0, 0, 10, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    opened = open_picture(saved(image, "JPEG", exif=exif, quality=95), LIMIT)
    assert opened.size == (10, 20)
    assert opened.getpixel((5, 2)) > 200
    assert opened.getpixel((5, 17)) < 50


def test_of_an_animation_the_first_frame_counts() -> None:
    frames = [Image.new("L", (4, 4), value) for value in (10, 200)]
    opened = open_picture(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), LIMIT)
    assert opened.getpixel((0, 0)) == 10


@pytest.mark.parametrize("size", [(1, 50), (50, 1), (1, 1)])
def test_pictures_one_pixel_wide_are_pictures(size: tuple[int, int]) -> None:
    assert open_picture(saved(Image.new("RGB", size, (1, 2, 3)), "PNG"), LIMIT).size == size


@pytest.mark.parametrize("width", [1_001, 10_000, 40_000, 2**31 - 1])
def test_a_bomb_is_refused_by_its_header(width: int) -> None:
    header = png_header(width, width)
    with pytest.raises(TooManyPixels, match="at most 1,000,000 pixels") as caught:
        open_picture(header + b"\0\0\0\0IDAT", LIMIT)
    assert caught.value.status == 413


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}])
def test_a_webp_bomb_is_refused_before_its_decoder_is_opened(options: dict[str, object]) -> None:
    payload = saved(Image.new("RGB", (300, 200)), "WEBP", **options)
    assert open_picture(payload, 60_000).size == (300, 200)
    with pytest.raises(TooManyPixels, match="300 x 200 = 60,000"):
        open_picture(payload, 59_999)


def test_the_limit_itself_is_allowed() -> None:
    payload = saved(Image.new("L", (100, 10)), "PNG")
    assert open_picture(payload, 1000).size == (100, 10)
    with pytest.raises(TooManyPixels):
        open_picture(payload, 999)


@pytest.mark.parametrize("payload", [b"", b"hello, I am a text", b"%PDF-1.7 ...", b"<svg></svg>", b"\0" * 100])
def test_what_is_no_picture_is_refused(payload: bytes) -> None:
    with pytest.raises(NotAPicture, match="expected a picture"):
        open_picture(payload, LIMIT)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_picture_that_ends_early_is_refused(picture: Callable[..., bytes], form: str, share: float) -> None:
    whole = picture(3, form, (64, 64), "RGB")
    with pytest.raises(TruncatedPicture):
        open_picture(whole[: int(len(whole) * share)], LIMIT)


def test_a_picture_that_ends_early_is_refused_whatever_another_library_switched_on(
    picture: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    payload = picture(3, "JPEG", (64, 64), "RGB")
    with pytest.raises(TruncatedPicture):
        open_picture(payload[: len(payload) * 2 // 3], LIMIT)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_gives_a_picture_or_one_of_three_errors(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"]))
    pixels = np.random.default_rng(5).integers(0, 256, (20, 20), dtype=np.uint8)
    payload = bytearray(saved(Image.fromarray(pixels), form))
    for _ in range(data.draw(st.integers(1, 8))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(NotAPicture, TruncatedPicture, TooManyPixels):
        assert open_picture(bytes(payload), LIMIT).mode in ("L", "RGB")


def test_many_threads_read_the_same_pixels(picture: Callable[..., bytes]) -> None:
    payloads = [picture(seed, form, (40, 40), "RGB") for seed in range(20) for form in ("PNG", "JPEG", "WEBP")]
    alone = [open_picture(payload, LIMIT).tobytes() for payload in payloads]
    barrier = threading.Barrier(4)

    def all_of_them(_: int) -> list[bytes]:
        barrier.wait()
        return [open_picture(payload, LIMIT).tobytes() for payload in payloads]

    with ThreadPoolExecutor(4) as pool:
        assert all(found == alone for found in pool.map(all_of_them, range(4)))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.booleans(), st.integers(0, 2**32))
def test_arrays_go_through_png_and_back_unchanged(width: int, height: int, colour: bool, seed: int) -> None:
    shape = (height, width, 3) if colour else (height, width)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    opened = open_picture(encode_png(pixels), LIMIT)
    assert opened.mode == ("RGB" if colour else "L")
    assert np.array_equal(np.asarray(opened), pixels)


def test_the_png_of_an_array_is_the_same_bytes_everywhere() -> None:
    # Worked by hand from the PNG and deflate specifications: one grey line of two pixels.
    raw = b"\x00\x07\xff"
    packed = b"\x78\x01\x01\x03\x00\xfc\xff" + raw + struct.pack(">I", zlib.adler32(raw))
    payload = encode_png(np.array([[7, 255]], dtype=np.uint8))
    assert payload[:33] == png_header(2, 1)
    assert payload[33 : 41 + len(packed)] == struct.pack(">I", len(packed)) + b"IDAT" + packed


def test_grey_is_seen_in_colour_pictures_too() -> None:
    assert is_grey(Image.new("L", (3, 3), 5))
    assert is_grey(Image.new("RGB", (3, 3), (5, 5, 5)))
    assert not is_grey(Image.new("RGB", (3, 3), (5, 5, 6)))
