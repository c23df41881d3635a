"""A release that was really built, told whole: every figure of its statements stands in the report."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelmint.releases.dossier.words.told import told
from modelmint.releases.shelf import Shelf

pytestmark = pytest.mark.timeout(1800)  # with the demo, where no test before asked for it


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_of_a_fresh_release_loads_no_engine_and_holds_what_was_stated(
    demo: Any, language: str, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    # It only reads: what was measured at the build is told, nothing is computed again.
    probe = (
        "import sys; from modelmint.cli.main import main; code = main(sys.argv[1:]);"
        "sys.exit(' and '.join({'torch', 'onnxruntime', 'openvino'} & set(sys.modules)) or code)"
    )
    line = [sys.executable, "-c", probe, "-C", str(demo.folder), "report", "-o", str(file), "--language", language]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
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
