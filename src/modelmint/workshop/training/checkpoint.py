"""The state of an unfinished run on disk: written whole and synced or not at all, tensors and plain values only."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from modelmint.kit.digest import digest_bytes
from modelmint.kit.files import write_atomic

NAME = "checkpoint.pt"
_MAGIC = b"modelmint-checkpoint-1\n"
_HEADER = len(_MAGIC) + 65


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write ``state`` (tensors, numbers, strings, lists and dicts of them) with a checksum, atomically."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    write_atomic(folder / NAME, _MAGIC + digest_bytes(content).encode() + b"\n" + content)


def load_checkpoint(folder: Path, identity: str) -> dict[str, Any] | None:
    """The last complete state of the run called ``identity``; None when there is none that can be used.

    A file of another run, of an older format or with a wrong checksum counts as none: training starts over.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    content = path.read_bytes()
    body = content[_HEADER:]
    if not content.startswith(_MAGIC) or content[len(_MAGIC) : _HEADER - 1].decode("ascii", "replace") != digest_bytes(
        body
    ):
        return None
    state = torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
    return state if isinstance(state, dict) and state.get("identity") == identity else None


def sweep(folder: Path) -> None:
    """Remove what killed writers left behind."""
    for leftover in folder.glob(".*.tmp"):
        leftover.unlink(missing_ok=True)
