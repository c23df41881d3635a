"""The command as a user runs it: a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout; fails where there is more or less."""
        lines = self.out.splitlines()
        assert len(lines) == 1, f"expected one line on stdout, found {self.out!r} (stderr: {self.err!r})"
        found = json.loads(lines[0])
        assert isinstance(found, dict)
        return found


Run = Callable[..., Ran]


@pytest.fixture
def modelmint(tmp_path: Path) -> Run:
    """Runs ``modelmint WORDS...`` in an empty folder."""

    def run(*words: str, cwd: Path | None = None, env: dict[str, str] | None = None, timeout: float = 240) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "modelmint", *words],
            cwd=cwd or tmp_path, env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    return run
