"""Digests of many files, remembered by their size, times and inode."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelmint.kit.canonical import canonical_json
from modelmint.kit.digest import digest_file
from modelmint.kit.files import write_atomic

#: A file changed so recently may change again within the clock's grain without its times telling.
_SETTLED_NS = 2_000_000_000
_UNREADABLE = "unreadable"


def digests_of(files: Mapping[str, Path], cache: Path | None) -> dict[str, str]:
    """Name -> sha256 of each file; ``"unreadable"`` for one that cannot be read (which is a state, too)."""
    known = _remembered(cache)
    stamps: dict[str, list[Any]] = {}
    found: dict[str, str] = {}
    for name, path in files.items():
        try:
            status = path.stat()
            stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
            before = known.get(_key(path))
            digest = before[-1] if before is not None and before[:-1] == stamp else digest_file(path)
        except OSError:
            found[name] = _UNREADABLE
            continue
        found[name] = digest
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED_NS:
            stamps[_key(path)] = [*stamp, digest]
    if cache is not None and stamps != known:
        write_atomic(cache, canonical_json(stamps))
    return found


def _key(path: Path) -> str:
    """``path`` as text that JSON can hold, whatever bytes its names are made of."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _remembered(cache: Path | None) -> dict[str, list[Any]]:
    if cache is None or not cache.exists():
        return {}
    try:
        known = json.loads(cache.read_bytes())
        return {str(path): list(stamp) for path, stamp in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # a damaged cache costs time, nothing else
