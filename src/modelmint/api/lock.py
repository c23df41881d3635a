"""One server to a workspace: the claim on it, and the file that says where the server listens."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modelmint.api.errors import AlreadyServed
from modelmint.kit.files import write_atomic

LOCK_FILE = "serve.lock"
#: Written into the workspace while a server runs: who it is and where it listens.
STATE_FILE = "serve.json"


@contextmanager
def claimed(workspace: Path) -> Iterator[None]:
    """Be the one server of the workspace; what was announced goes with it. Raises ``AlreadyServed``.

    A record lock belongs to this process alone: forked workers do not hold it, so those that outlive a killed
    parent to finish their calls keep no successor waiting, and the kernel takes it back however the parent ends.
    """
    workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(workspace / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise _already_served(workspace) from None
        try:
            yield
        finally:
            (workspace / STATE_FILE).unlink(missing_ok=True)
    finally:
        os.close(handle)


def announce(workspace: Path, url: str, workers: list[int]) -> None:
    """Say where this server listens."""
    write_atomic(workspace / STATE_FILE, json.dumps({"pid": os.getpid(), "url": url, "workers": workers}) + "\n")


def announced(workspace: Path) -> dict[str, Any]:
    """``pid``, ``url`` and ``workers`` of the server announced last, {} where there is none."""
    try:
        found = json.loads((workspace / STATE_FILE).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _already_served(workspace: Path) -> AlreadyServed:
    found = announced(workspace)
    where = f"runs at {found['url']} (process {found['pid']})" if {"url", "pid"} <= set(found) else "is just starting"
    return AlreadyServed(
        f"expected no other server on {workspace.parent}, but one {where}; use that one (it follows every "
        "`modelmint deploy`), or stop it first, or serve another folder with -C",
        details={"url": found.get("url")},
    )
