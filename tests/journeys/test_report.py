"""A release that was really built, told whole: every figure of its statements stands in the report."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from modelmint.releases.dossier.words.told import told
from modelmint.releases.shelf import Shelf


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_of_a_fresh_release_is_quick_and_holds_what_was_stated(
    demo: Any, language: str, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    line = [
        sys.executable,
        "-m",
        "modelmint",
        "-C",
        str(demo.folder),
        "report",
        "-o",
        str(file),
        "--language",
        language,
    ]
    start = time.monotonic()
    subprocess.run(line, check=True, capture_output=True)
    assert time.monotonic() - start < 20
    text = file.read_text()
    release = Shelf(demo.folder / ".modelmint" / "releases").list()[0]
    shown = {float(value) for value in re.findall(r'<data value="([^"]+)"', text)}
    (cost,), (timings,), (gates,) = (release.statements(kind) for kind in ("cost", "timings", "gates"))
    money = [float(value) for value in cost.body["exact"].values() if isinstance(value, str)]
    assert set(money) <= shown
    for row in timings.body["candidates"]:
        assert {row["intervals"]["cpu_ms"][name] for name in ("value", "low", "high")} <= shown
        assert f"{row['name']}@{row['engine']}" in text
    assert {gate["found"] for gate in gates.body["gates"]} <= shown
    metrics = release.json("evaluation.json")["models"]
    assert {one["value"] for model in metrics.values() for one in model["metrics"].values()} <= shown


def test_every_sentence_that_the_build_wrote_is_said_in_chinese(demo: Any) -> None:
    release = Shelf(demo.folder / ".modelmint" / "releases").list()[0]
    (cost,), (timings,) = (release.statements(kind) for kind in ("cost", "timings"))
    rows = timings.body["candidates"]
    written = [cost.body["why"], *cost.body["assumptions"], *cost.body["missing"]]
    written += [row[name] for row in rows for name in ("rejected", "note") if row[name]]
    written.append(json.loads((release.path / "dataset.json").read_bytes())["facts"]["splits"])
    assert {sentence for sentence in written if told(sentence) == sentence} == set()
