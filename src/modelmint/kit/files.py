"""Writing so that a crash leaves the old thing or the new thing, never half of one."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomic(path: Path, content: bytes | str, mode: int = 0o644, *, durable: bool = True) -> None:
    """Write ``content`` to ``path``: synced to disk under another name, then renamed over it.

    Not ``durable``: without the sync, for what may be lost in a crash, so that it holds up nobody else's.
    """
    with atomic_file(path, mode, durable=durable) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def atomic_file(path: Path, mode: int = 0o644, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A temporary file that becomes ``path``, synced to disk, when the block ends well; else it vanishes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
        if durable:
            _sync(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_folder(final: Path) -> Iterator[Path]:
    """A temporary folder that becomes ``final`` when the block ends well, and vanishes when it does not.

    Every file is synced before the rename. If ``final`` has come to exist meanwhile, the first one stays.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = final.with_name(f".{final.name}.{uuid.uuid4().hex[:8]}.tmp")
    temporary.mkdir()
    try:
        yield temporary
        settle(temporary, final)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def settle(temporary: Path, final: Path) -> None:
    """Make the folder ``temporary`` to ``final``, on the same disk, every file synced before.

    If ``final`` has come to exist meanwhile, the first one stays and ``temporary`` goes.
    """
    for item in temporary.rglob("*"):
        _sync(item)
    _sync(temporary)
    if final.exists():
        shutil.rmtree(temporary)
    else:
        temporary.replace(final)
        _sync(final.parent)
