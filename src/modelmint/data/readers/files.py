"""Finding and loading picture files without being led out of the source."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from modelmint.data.errors import OutsideSource

_LARGEST_FILE = 256 << 20
#: What systems leave in folders; never data.
_LITTER = frozenset({"thumbs.db", "desktop.ini", "icon\r"})
_DIGITS = re.compile(r"(\d+)")


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key that puts ``7`` before ``10``."""
    parts = _DIGITS.split(text)
    return tuple((0, int(part)) if part.isdecimal() and len(part) < 20 else (1, part) for part in parts)


def is_litter(name: str) -> bool:
    """Hidden files and what systems leave behind."""
    return name.startswith(".") or name.lower() in _LITTER


def shown(name: str) -> str:
    """``name`` as text that can be written down: composed as TOML editors do, bytes that are no UTF-8 escaped."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def folders_in(folder: Path) -> list[Path]:
    """Folders directly below, links to folders included, in natural order."""
    return sorted((p for p in folder.iterdir() if p.is_dir() and not is_litter(p.name)), key=lambda p: natural(p.name))


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below ``folder``, in order; links to folders are not followed."""
    for parent, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not is_litter(name))
        yield from (Path(parent, name) for name in sorted(files) if not is_litter(name))


def loader(path: Path, base: Path) -> Callable[[], bytes]:
    """A function that reads ``path`` when called.

    It raises ``OutsideSource`` where the path, links followed, lies outside ``base``; ``FileNotFoundError``; or
    ``OSError`` for what is not a plain file of at most 256 MiB.
    """

    def load() -> bytes:
        real = path.resolve()
        if not real.is_relative_to(base):
            raise OutsideSource(
                f"leads to {shown(str(real))}, outside the data source {shown(str(base))}; copy the file into it"
            )
        if not real.exists():
            raise FileNotFoundError(f"there is no file {shown(str(path))}")
        if not real.is_file():
            raise OSError(f"{shown(str(path))} is not a plain file")
        if real.stat().st_size > _LARGEST_FILE:
            raise OSError(f"the file has {real.stat().st_size / 2**20:.0f} MiB; at most 256 MiB are read")
        return real.read_bytes()

    return load
