"""Looking at every row once: can it be read, what are its pixels, is it grey."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from modelmint.data.errors import NotAPicture, OutsideSource, TooManyPixels, TruncatedPicture
from modelmint.data.perceptual import thumbnail
from modelmint.data.pictures import is_grey, open_picture
from modelmint.data.types import Finding, RawRow, Split
from modelmint.kit.digest import digest_bytes
from modelmint.kit.progress import Progress


@dataclass(frozen=True, slots=True)
class Looked:
    """A row whose picture can be read; the picture itself is not kept, but for 1 kB of what it looks like."""

    raw: RawRow
    label: str
    #: sha256 of the bytes as given, and of the decoded pixels with their size and mode.
    payload_digest: str
    pixel_digest: str
    length: int
    width: int
    height: int
    grey: bool
    #: What it looks like, 32 x 32 greys: for near duplicates and for comparing splits.
    thumbnail: bytes

    @property
    def name(self) -> str:
        """The row's name in the source."""
        return self.raw.name

    @property
    def split(self) -> Split | None:
        """The split that the source states."""
        return self.raw.split


def look_at_all(rows: Sequence[RawRow], max_pixels: int, progress: Progress) -> tuple[list[Looked], list[Finding]]:
    """Every row in the given order, either readable or a finding. Only one picture a thread is in memory."""
    looked: list[Looked] = []
    findings: list[Finding] = []
    with progress.bar("looking at pictures", len(rows)) as bar, ThreadPoolExecutor(_threads()) as pool:
        try:
            for result in pool.map(partial(_look, max_pixels=max_pixels), rows):
                if isinstance(result, Finding):
                    findings.append(result)
                else:
                    looked.append(result)
                bar.advance(1, problems=str(len(findings)))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # Ctrl-C need not wait for thousands of pictures
            raise
    return looked, findings


def _threads() -> int:
    return min(8, os.cpu_count() or 1)


def _look(row: RawRow, max_pixels: int) -> Looked | Finding:
    try:
        payload = row.load()
        picture = open_picture(payload, max_pixels)
    except OutsideSource as error:
        return Finding("outside_source", row.name, error.message, "skipped")
    except NotAPicture as error:
        return Finding("not_an_image", row.name, error.message, "skipped")
    except TruncatedPicture as error:
        return Finding("truncated", row.name, error.message, "skipped")
    except TooManyPixels as error:
        return Finding("too_large", row.name, error.message, "skipped")
    except FileNotFoundError as error:
        return Finding("missing_file", row.name, str(error), "skipped")
    except (OSError, ValueError) as error:  # ValueError: a null character in a path
        return Finding("unreadable", row.name, str(error), "skipped")
    pixels = f"{picture.mode} {picture.width} {picture.height} ".encode() + picture.tobytes()
    return Looked(
        raw=row,
        label=row.label or "",
        payload_digest=digest_bytes(payload),
        pixel_digest=digest_bytes(pixels),
        length=len(payload),
        width=picture.width,
        height=picture.height,
        grey=is_grey(picture),
        thumbnail=thumbnail(picture),
    )
