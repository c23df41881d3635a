"""The shop in a process of its own, for as long as a program wants it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from modelmint.sdk.errors import ShopDidNotOpen

#: Longer than the slowest stop, in which calls under way are finished.
STOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Serving:
    """A running shop."""

    url: str
    console: str
    #: Public name -> where to post calls for it.
    models: dict[str, str]
    pid: int


@contextmanager
def serving(root: Path, host: str, port: int, workers: int | None) -> Iterator[Serving]:
    """``modelmint serve`` on ``root``; stopped, every answered call booked, when the block ends."""
    command = [sys.executable, "-m", "modelmint", "-C", str(root), "--json", "serve", "--host", host]
    command += ["--port", str(port), *(["--workers", str(workers)] if workers else [])]
    with tempfile.TemporaryFile("w+") as told:
        # The command is our own interpreter and our own arguments.
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=told, text=True)  # noqa: S603
        try:
            yield _ready(process, told)
        finally:
            process.terminate()
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _ready(process: subprocess.Popen[str], told: IO[str]) -> Serving:
    line = process.stdout.readline() if process.stdout else ""
    found: dict[str, Any] = json.loads(line) if line.strip() else {}
    if "url" in found:
        return Serving(found["url"], found["console"], dict(found["models"]), int(found["pid"]))
    process.wait(timeout=STOP_SECONDS)
    told.seek(0)
    error = found.get("error", {})
    raise ShopDidNotOpen(
        f"the shop did not open: {error.get('message') or told.read()[-2000:] or 'it said nothing'}",
        problems=error.get("problems", ()),
        details={"code": error.get("code", "")},
    )
