"""The first story: digits built, served, sold and billed, and what is left in the folder afterwards."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from modelmint.testing.pictures import picture

pytestmark = pytest.mark.timeout(1800)


def typed(folder: Path, *words: str, code: int = 0) -> dict[str, Any]:
    line = [sys.executable, "-m", "modelmint", "-C", str(folder), "--json", *words]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr[-2000:]
    assert len(done.stdout.splitlines()) == 1
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_the_demo_bills_exactly_the_answered_calls(demo) -> None:
    report = demo.report
    assert report["calls"]["answered"] == report["calls"]["sent"] == 30
    assert report["usage"]["calls"] == 30
    line = next(line for line in report["invoice"]["lines"] if line["meter"] == "calls")
    assert line["quantity"] == 30
    price = Decimal(report["per_call"]["price"].split()[0])
    assert Decimal(report["invoice"]["total"]["minor"]) / 100 == 30 * price > 0
    assert "30 x" in report["invoice_text"]


def test_the_demo_shows_that_wrong_calls_are_refused_and_not_billed(demo) -> None:
    assert [(one["status"], one["code"]) for one in demo.report["refused"]] == [
        (422, "not_a_picture"),
        (401, "unauthenticated"),
    ]


def test_the_demo_model_reads_held_out_scans(demo) -> None:
    assert demo.report["build"]["metrics"]["accuracy"]["value"] >= 0.97
    assert demo.report["calls"]["right"] >= 27


def test_every_candidate_was_timed_or_rejected_with_a_reason_and_one_was_chosen(demo) -> None:
    candidates = demo.report["build"]["candidates"]
    assert {"torch-fp32", "onnx-fp32"} < {one["name"] for one in candidates}
    assert [one["chosen"] for one in candidates].count(True) == 1
    for one in candidates:
        assert one["rejected"] or one["cpu_ms"] > 0
        assert not (one["chosen"] and one["rejected"])


def test_the_build_object_has_every_part_the_issue_names(demo) -> None:
    build = demo.report["build"]
    assert set(build) >= {"release", "dataset", "metrics", "candidates", "gates", "cost", "seconds", "models"}
    assert set(build["dataset"]["rows"]) == {"train", "val", "test"}
    assert all(set(gate) >= {"name", "wanted", "found", "passed"} for gate in build["gates"])
    assert all(set(one) >= {"value", "low", "high", "n"} for one in build["metrics"].values())


def test_the_demo_leaves_everything_to_look_at(demo) -> None:
    for place in demo.report["places"].values():
        assert Path(place).exists(), place
    assert json.loads(Path(demo.report["places"]["report"]).read_text())["invoice"] == demo.report["invoice"]
    assert demo.report["total_seconds"] == pytest.approx(sum(demo.report["seconds"].values()), abs=0.1)


def test_building_again_changes_nothing_and_imports_no_torch(demo) -> None:
    probe = (
        "import sys; from modelmint.cli.main import main; code = main(sys.argv[1:]);"
        "sys.exit('torch was imported' if 'torch' in sys.modules else code)"
    )
    line = [sys.executable, "-c", probe, "-C", str(demo.folder), "--json", "build"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    again = json.loads(done.stdout)
    assert again["release"] == demo.report["build"]["release"]
    assert again["cached"] == ["prepare", "train", "compress", "judge", "price", "explain", "release"]


def test_the_shelf_verifies_and_shows_what_the_build_said(demo) -> None:
    release = demo.report["build"]["release"]["id"]
    assert typed(demo.folder, "releases", "verify")["sound"] is True
    shown = typed(demo.folder, "releases", "show", release[:12])
    model = next(iter(shown["models"].values()))
    assert model["metrics"]["accuracy"] == demo.report["build"]["metrics"]["accuracy"]
    assert {one["kind"] for one in shown["statements"]} >= {"cost", "gates"}
    assert typed(demo.folder, "data", "show")["digest"] == demo.report["build"]["dataset"]["digest"]


def test_the_release_predicts_elsewhere_without_the_venture(demo, tmp_path: Path) -> None:
    release = Path(demo.report["build"]["release"]["path"])
    copied = tmp_path / "copy"
    shutil.copytree(release, copied)
    scan = tmp_path / "scan.png"
    scan.write_bytes(picture(40, side=8, noise=40))
    found = typed(tmp_path, "predict", str(scan), "--release", str(copied))
    assert found["answered"] == 1
    assert sum(found["predictions"][0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_bench_measures_the_release_through_the_real_server(demo) -> None:
    found = typed(demo.folder, "bench", "--seconds", "0.5")
    model = next(iter(found["models"].values()))
    assert found["payloads"] == "validation pictures"
    points = model["load"]["points"]
    assert {point["errors"] for point in points} == {0}
    assert any(point["calls"] > 0 for point in points)  # many clients of a slow machine may wait for longer than that
    assert {one["engine"] for one in model["timings"]} >= {"onnxruntime"}


def test_a_second_demo_in_the_same_folder_reuses_the_build_and_a_strange_folder_is_left_alone(
    demo, tmp_path: Path
) -> None:
    again = typed(tmp_path, "demo", "--calls", "5", "--out", str(demo.folder))
    assert again["build"]["release"] == demo.report["build"]["release"]
    assert again["usage"]["calls"] == 5
    assert again["invoice"]["number"] == demo.report["invoice"]["number"] + 1
    (tmp_path / "modelmint-demo").mkdir()
    (tmp_path / "modelmint-demo" / "venture.toml").write_text("mine")
    assert typed(tmp_path, "demo", code=4)["error"]["code"] == "file_in_the_way"
    assert (tmp_path / "modelmint-demo" / "venture.toml").read_text() == "mine"
