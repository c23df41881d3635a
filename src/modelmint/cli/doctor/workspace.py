"""Can the workspace be written, does the disk keep what it is told to keep, is the port free."""

from __future__ import annotations

import os
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from modelmint.cli.types import Check

#: How often the disk is asked; the median stands for it.
SYNCS = 25


def check_workspace(folder: Path, host: str, port: int) -> Iterator[Check]:
    """Rows about ``folder`` (where ``.modelmint`` lies or would lie) and the address of ``serve``."""
    workspace = folder / ".modelmint"
    place = workspace if workspace.is_dir() else folder
    if not place.is_dir():
        yield Check(
            "workspace", "folder", "bad", f"{folder} does not exist", "check -C, or make it with: modelmint new"
        )
    else:
        yield from _disk_rows(place)
    yield _port(host, port)


def _disk_rows(place: Path) -> Iterator[Check]:
    try:
        taken = measure_sync_ms(place)
    except OSError as error:
        yield Check(
            "workspace", "writable", "bad", f"cannot write in {place}: {error.strerror}",
            "give this user the right to write there, or work in another folder",
        )  # fmt: skip
        return
    yield Check("workspace", "writable", "ok", str(place))
    found = f"one synced write takes {taken:.2f} ms (median of {SYNCS})"
    if taken > 20:
        yield Check("workspace", "sync", "warn", found, "every paid call waits for this; a local SSD answers sooner")
    elif taken < 0.02:
        yield Check(
            "workspace", "sync", "warn", found, "too fast for a disk: memory? a power cut could lose paid calls here"
        )
    else:
        yield Check("workspace", "sync", "ok", found)


def measure_sync_ms(place: Path) -> float:
    """Median milliseconds to write 4 KiB and sync them in ``place``; raises ``OSError`` where it is not writable."""
    block = b"\0" * 4096
    taken = []
    with tempfile.NamedTemporaryFile(dir=place, prefix=".doctor-") as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            file.write(block)
            file.flush()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _port(host: str, port: int) -> Check:
    if port_is_free(host, port):
        return Check("port", "port", "ok", f"{host}:{port} is free")
    return Check(
        "port", "port", "warn", f"{host}:{port} is taken", f"serve on another: modelmint serve --port {port + 1}"
    )
