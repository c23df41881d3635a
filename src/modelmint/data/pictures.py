"""Pictures from bytes that nobody vouches for, and back: one door for training, tests and paid calls.

What comes out is ``L`` (grey) or ``RGB``, eight bits, upright. Transparency is laid over white; 16-bit greys are
scaled by 1/257, so that 65535 becomes 255. The first frame of an animation or of a TIFF with pages counts.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from modelmint.data.errors import NotAPicture, TooManyPixels, TruncatedPicture
from modelmint.kit.arrays import AnyArray

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"BM", b"II*\x00", b"MM\x00*", b"GIF8")
#: Bytes that one stored block of deflate holds at most.
_STORED = 65_535
_EXPECTED = f"expected a picture ({', '.join(FORMATS)})"

# Pillow prints what it finds odd in pictures (large ones, damaged EXIF). Strangers send them: the exact limit is
# enforced below, damage that matters raises, and the rest is no line in a server's log.
warnings.filterwarnings("ignore", module=r"PIL\.")


def open_picture(payload: bytes, max_pixels: int) -> Image.Image:
    """The picture in ``payload``, decoded and upright, in mode ``L`` or ``RGB``; raises as ``open_sized``."""
    return open_sized(payload, max_pixels)[0]


def open_sized(payload: bytes, max_pixels: int, at_least: int | None = None) -> tuple[Image.Image, int]:
    """The picture in ``payload``, decoded and upright, in mode ``L`` or ``RGB``, and its pixels as it was sent.

    ``at_least`` says that no side needs more pixels than that: a larger JPEG is then decoded at a half, a quarter or
    an eighth of its size, as long as both sides keep so many; that takes a third off the time of a photograph.

    Its size is read from the header and compared with ``max_pixels`` before anything is decoded. Raises
    ``NotAPicture``, ``TruncatedPicture`` or ``TooManyPixels``. Safe in threads.
    """
    if not payload:
        raise NotAPicture(f"{_EXPECTED}, found no bytes at all")
    if (size := _webp_size(payload)) and size[0] * size[1] > max_pixels:
        raise _too_many(max_pixels, size)
    try:
        picture = Image.open(io.BytesIO(payload), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many(max_pixels, None) from error
    except UnidentifiedImageError as error:
        raise _unidentified(payload) from error
    except Exception as error:  # Pillow's parsers raise many kinds on hostile headers
        raise TruncatedPicture(f"{_EXPECTED}, found one with a damaged header: {error}") from error
    with picture:
        width, height = picture.size
        if width * height > max_pixels:
            raise _too_many(max_pixels, picture.size)
        if at_least is not None:
            picture.draft(None, (at_least, at_least))  # changes nothing for formats other than JPEG
        return _decoded(picture), width * height


def as_png(picture: Image.Image) -> bytes:
    """An opened picture as PNG, compressed: for eyes. What goes into a digest is written by ``encode_png``.

    Pixels alone: Pillow would hand a stranger's colour profile on, and a browser parse it.
    """
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", icc_profile=None)
    return buffer.getvalue()


def encode_png(pixels: AnyArray) -> bytes:
    """Lossless PNG of ``uint8[h, w]`` (grey) or ``uint8[h, w, 3]`` (RGB).

    Stored, not compressed (RFC 1951, 3.2.4): compressors differ between builds of zlib and even between processors,
    and these bytes go into the digest of a dataset, which must be the same on every machine.
    """
    height, width = pixels.shape[:2]
    colour_type = 2 if pixels.ndim == 3 else 0
    lines = np.zeros((height, 1 + pixels[0].size), dtype=np.uint8)  # each line begins with its filter, 0: none
    lines[:, 1:] = pixels.reshape(height, -1)
    raw = lines.tobytes()
    blocks = [raw[start : start + _STORED] for start in range(0, len(raw), _STORED)]
    stored = b"".join(
        struct.pack("<BHH", place == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
        for place, block in enumerate(blocks)
    )
    packed = b"\x78\x01" + stored + struct.pack(">I", zlib.adler32(raw))
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def is_grey(picture: Image.Image) -> bool:
    """Whether no pixel has a colour: mode ``L``, or ``RGB`` with three equal channels."""
    if picture.mode == "L":
        return True
    red, green, blue = picture.split()
    first = red.tobytes()
    return first == green.tobytes() and first == blue.tobytes()


def _webp_size(payload: bytes) -> tuple[int, int] | None:
    """Width and height from the header of a WebP file (RFC 9649), whose decoder allocates as soon as it is opened."""
    if payload[:4] != b"RIFF" or payload[8:12] != b"WEBP" or len(payload) < 30:
        return None
    kind = payload[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(payload[24:27], "little"), 1 + int.from_bytes(payload[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(payload[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", payload, 26)
    return width & 0x3FFF, height & 0x3FFF


def _decoded(picture: Image.Image) -> Image.Image:
    # One switch for the whole process, and other libraries turn it on: half a picture would be answered, and billed.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        picture.load()
        upright = ImageOps.exif_transpose(picture)
        return _plain(upright)
    except MemoryError:
        raise
    except Exception as error:  # see above; decoders raise OSError, SyntaxError, struct.error, zlib.error, ...
        raise TruncatedPicture(f"{_EXPECTED}, found one that ends early or is damaged: {error}") from error


def _plain(picture: Image.Image) -> Image.Image:
    """Mode ``L`` or ``RGB``."""
    if picture.mode in ("L", "RGB"):
        return picture.copy()  # frees the decoder and its file
    if picture.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(np.asarray(picture)))
    if picture.mode in ("LA", "La"):
        return _over_white(picture.convert("LA"), "L")
    if picture.mode in ("RGBA", "RGBa", "PA") or "transparency" in picture.info:
        return _over_white(picture.convert("RGBA"), "RGB")
    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode == "P":
        colours = picture.convert("RGB")
        return colours.convert("L") if is_grey(colours) else colours
    return picture.convert("RGB")


def _over_white(picture: Image.Image, mode: str) -> Image.Image:
    plain = Image.new(mode, picture.size, "white")
    plain.paste(picture.convert(mode), mask=picture.getchannel("A"))
    return plain


def _eight_bits(pixels: AnyArray) -> AnyArray:
    """Greys of more than eight bits, or in floating point, as ``uint8``.

    Whole numbers up to 65535 are taken for 16-bit; floating point for 0..1, else 0..255; larger values, which
    have no agreed scale, are stretched between their own smallest and largest.
    """
    values = np.nan_to_num(pixels.astype(np.float64))
    low, high = float(values.min()), float(values.max())
    if low >= 0 and np.issubdtype(pixels.dtype, np.floating) and high <= 255:
        scale = 255.0 if high <= 1 else 1.0
    elif low >= 0 and high <= 65535:
        scale = 1 / 257
    else:
        values, scale = values - low, 255 / ((high - low) or 1)
    return np.clip(np.rint(values * scale), 0, 255).astype(np.uint8)


def _too_many(max_pixels: int, size: tuple[int, int] | None) -> TooManyPixels:
    found = f"{size[0]} x {size[1]} = {size[0] * size[1]:,}" if size else "far more"
    return TooManyPixels(
        f"expected a picture of at most {max_pixels:,} pixels, found {found}. Do: make it smaller first",
        details={"max_pixels": max_pixels},
    )


def _unidentified(payload: bytes) -> NotAPicture | TruncatedPicture:
    if payload.startswith(_MAGIC):
        return TruncatedPicture(f"{_EXPECTED}, found one with a damaged or incomplete header")
    return NotAPicture(f"{_EXPECTED}, found {len(payload):,} bytes of something else")
