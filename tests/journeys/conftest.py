"""One demo for all journeys: the whole story is told once per session."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Demo:
    folder: Path
    report: dict[str, Any]
    stdout: str


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """``modelmint demo`` with 30 paid calls: a real build, the real server, an invoice."""
    folder = tmp_path_factory.mktemp("demo") / "modelmint-demo"
    line = [sys.executable, "-m", "modelmint", "--json", "demo", "--calls", "30", "--out", str(folder)]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return Demo(folder, json.loads(done.stdout), done.stdout)
