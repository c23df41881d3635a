"""Ctrl-C in the middle of a long run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path


def test_ctrl_c_stops_a_build_with_130_and_says_that_it_can_go_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "modelmint", "--json"]
    subprocess.run([*command, "new", "numbers", "--solution", "digits"], cwd=tmp_path, check=True, capture_output=True)
    line = [*command, "-C", "numbers", "build"]
    process = subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for told in process.stderr:
        if told.strip() == "train":
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 130
    error = json.loads(out)["error"]
    assert error["code"] == "interrupted"
    assert "goes on from there" in error["message"]
    assert "Traceback" not in err
