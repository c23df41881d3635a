"""The whole build on a tiny dataset; only the load test is handed in by the test, as ``cli`` hands in the real one."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modelmint.kit.clock import ManualClock
from modelmint.kit.digest import digest_bytes
from modelmint.kit.errors import Corrupted, PreconditionFailed, Unavailable
from modelmint.kit.progress import Silent
from modelmint.releases.bundle import Release
from modelmint.releases.shelf import Shelf
from modelmint.releases.verify import verify
from modelmint.serving.types import LoadPoint, LoadResult, LoadTestRequest
from modelmint.tasks.errors import BadOutputs
from modelmint.testing.pictures import picture
from modelmint.venture.load import load_venture
from modelmint.workshop.errors import BuildRunning, DamagedGraph, GateFailed, NothingForSale
from modelmint.workshop.pipeline import STEPS as ALL_STEPS
from modelmint.workshop.pipeline import build
from modelmint.workshop.records import graph_of
from modelmint.workshop.report import BuildReport
from modelmint.workshop.types import Candidate

#: Of a venture whose models are all trained here.
STEPS = tuple(step for step in ALL_STEPS if step != "adopt")
CLOCK = ManualClock(datetime(2026, 5, 1, tzinfo=UTC))
TEXT = """
[venture]
name = "brightness"
use = "for tests only"

[data]
source = "pictures"
labels = ["dark", "bright"]
positive = "bright"

[model]
base = "cnn"
image_size = 16
epochs = 2

[gates]
auroc = ">= 0.6"
p99_ms = "<= 100"
size_bytes = "<= 5_000_000"

[demand]
calls_per_month = 100_000

[costs]
wrong_answer = "0.01 USD"

[machine]
price_per_hour = "0.08 USD"

[plans.payg]
per_call = "0.02 USD"
"""

SIZES = (("small", 8), ("large", 16))


@dataclass
class Server:
    """Stands where the real server is measured: answers at once, remembers what it was asked."""

    asked: list[LoadTestRequest] = field(default_factory=list)
    fail: Callable[[LoadTestRequest], BaseException | None] = lambda request: None

    def __call__(self, request: LoadTestRequest) -> LoadResult:
        self.asked.append(request)
        assert verify(request.release) == []  # a real bundle, as it would be served
        if (error := self.fail(request)) is not None:
            raise error
        point = LoadPoint(4, 400, 500.0, 5.0, 12.0, 1.1, 0)
        return LoadResult((point,), point, request.p99_limit_ms, 1, request.engine, request.threads, 0.2, 0.0, 1.0)


@dataclass
class Site:
    """A venture folder with its pictures."""

    root: Path

    @property
    def workspace(self) -> Path:
        return self.root / ".modelmint"

    def write(self, text: str = TEXT) -> None:
        (self.root / "venture.toml").write_text(text)

    def build(self, server: Server | None = None, **more: Any) -> BuildReport:
        return build(load_venture(self.root), self.workspace, Silent(), server or Server(), CLOCK, **more)


def new_site(root: Path, rows: int = 60) -> Site:
    for place, (label, brightness) in enumerate((("dark", 105), ("bright", 150))):
        folder = root / "pictures" / label
        folder.mkdir(parents=True)
        for row in range(rows):
            (folder / f"{row}.png").write_bytes(picture(brightness, noise=90, seed=1000 * place + row))
    site = Site(root)
    site.write()
    return site


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, BuildReport, Server]:
    site, server = new_site(tmp_path_factory.mktemp("venture")), Server()
    return site, site.build(server), server


@pytest.fixture
def site(built: tuple[Site, BuildReport, Server]) -> Iterator[Site]:
    """The built site; the venture file is put back afterwards."""
    yield built[0]
    built[0].write()


def test_the_report_is_the_object_that_build_json_promises(built: tuple[Site, BuildReport, Server]) -> None:
    report = json.loads(json.dumps(built[1].to_json(), allow_nan=False))
    assert {"release", "dataset", "metrics", "candidates", "gates", "cost", "seconds", "models"} <= set(report)
    assert set(report["release"]) == {"id", "path"}
    assert report["dataset"]["rows"] == {"train": 84, "val": 18, "test": 18}
    assert report["dataset"]["problems"] == 0
    assert set(report["seconds"]) == set(STEPS)
    assert set(report["metrics"]["auroc"]) >= {"value", "low", "high", "n"}
    names = {
        "name", "engine", "accuracy", "auroc", "cpu_ms", "p50_ms", "p99_ms", "size_bytes", "calls_per_second",
        "cost_per_1k", "monthly_value", "chosen", "rejected",
    }  # fmt: skip
    for row in report["candidates"]:
        assert names <= set(row)
    assert all(set(gate) >= {"name", "wanted", "found", "passed"} for gate in report["gates"])
    assert report["models"]["brightness"]["metrics"] == report["metrics"]


def test_baselines_and_recipe_stand_side_by_side_and_one_is_chosen(built: tuple[Site, BuildReport, Server]) -> None:
    rows = built[1].to_json()["candidates"]
    assert {"torch-fp32", "onnx-fp32", "int8"} <= {row["name"] for row in rows}
    assert sum(row["chosen"] for row in rows) == 1
    torch_row = rows[0]
    assert torch_row["rejected"] == "baseline: the shop serves without torch"
    assert all(row["cpu_ms"] > 0 and row["threads"] >= 1 for row in rows)
    chosen = next(row for row in rows if row["chosen"])
    assert chosen["rejected"] is None
    assert chosen["calls_per_second"] == 500.0
    assert isinstance(chosen["monthly_value"], float)


def test_int8_is_smaller_and_its_parity_is_stated(built: tuple[Site, BuildReport, Server]) -> None:
    rows = {(row["name"], row["engine"]): row for row in built[1].to_json()["candidates"]}
    parent, child = rows["onnx-fp32", "onnxruntime"], rows["int8", "onnxruntime"]
    assert child["size_bytes"] < 0.35 * parent["size_bytes"]
    assert 0 <= child["parity"]["mean_difference"] < 0.05


def test_every_candidate_for_sale_was_load_tested_as_a_real_release(built: tuple[Site, BuildReport, Server]) -> None:
    _, report, server = built
    alive = [row for row in report.to_json()["candidates"] if row["rejected"] is None]
    assert len(server.asked) == len(alive)
    for request in server.asked:
        assert request.p99_limit_ms == 100.0
        assert 1 <= len(request.payloads) <= 64
        assert not request.release.exists()  # nothing of it is left behind


def test_the_release_is_sound_and_holds_what_design_says(built: tuple[Site, BuildReport, Server]) -> None:
    _, report, _ = built
    release = Release.open(report.path)
    assert verify(report.path) == []
    assert {"venture.toml", "evaluation.json", "dataset.json", "dataset.md", "README.md"} <= set(release.manifest.files)
    assert (report.path / "dataset.md").read_text().startswith("# Dataset card\n")
    assert release.graph("brightness").is_file()
    assert (report.path / "plots" / "brightness" / "roc.svg").read_text().startswith("<svg")
    assert release.manifest.models["brightness"].test_reads == 1
    assert release.manifest.venture["use"] == "for tests only"
    decision = release.spec("brightness").decision
    assert decision.positive == "bright"
    assert decision.threshold is not None
    assert {statement.kind for statement in release.statements()} == {"cost", "gates", "timings", "explanations"}
    cost = release.statements("cost")[0].body
    assert cost["engine"] in ("onnxruntime", "openvino")
    assert cost["threads"] >= 1


def test_content_holds_no_time_cost_or_machine(built: tuple[Site, BuildReport, Server]) -> None:
    from modelmint.kit.machine import this_machine

    content = b"".join(
        item.read_bytes() for item in built[1].path.rglob("*") if item.is_file() and "statements" not in item.parts
    )
    for word in (this_machine().fingerprint, "cpu_ms", "calls_per_second", "2026-05-01", str(built[0].root)):
        assert word.encode() not in content, word


_SECOND = """
import json, sys
from pathlib import Path
from modelmint.kit.clock import SystemClock
from modelmint.kit.progress import Silent
from modelmint.venture.load import load_venture
from modelmint.workshop.pipeline import build
def load_test(request):
    raise AssertionError("nothing changed")
venture = load_venture(Path(sys.argv[1]))
report = build(venture, venture.folder / ".modelmint", Silent(), load_test, SystemClock())
heavy = [name for name in ("torch", "transformers", "onnx", "onnxruntime") if name in sys.modules]
print(json.dumps([report.release_id, list(report.cached), heavy]))
"""


def test_a_second_build_with_nothing_changed_repeats_no_step_and_imports_no_torch(
    built: tuple[Site, BuildReport, Server],
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SECOND, str(built[0].root)], capture_output=True, text=True, check=True
    )
    release, cached, heavy = json.loads(done.stdout)
    assert release == built[1].release_id
    assert cached == list(STEPS)
    assert heavy == []


def test_new_demand_repeats_only_the_release_and_reads_no_test_picture_again(
    site: Site, built: tuple[Site, BuildReport, Server]
) -> None:
    site.write(TEXT.replace("100_000", "300_000"))
    server = Server()
    report = site.build(server)
    assert report.cached == STEPS[:-1]
    assert server.asked == []
    assert report.release_id != built[1].release_id  # its own venture file is part of it
    assert Release.open(report.path).manifest.models["brightness"].test_reads == 1
    assert report.to_json()["cost"]["revenue"] == 6000.0


def test_without_demand_the_value_is_not_computable_and_the_cheapest_wins(site: Site) -> None:
    site.write(TEXT.replace("[demand]\ncalls_per_month = 100_000\n", ""))
    report = site.build().to_json()
    alive = [row for row in report["candidates"] if row["rejected"] is None]
    assert {row["monthly_value"] for row in alive} == {"not computable"}
    assert report["cost"]["missing"] == ["[demand] is not stated"]
    assert "CPU time" in report["why"]


def test_a_failed_gate_raises_with_the_table_and_releases_nothing(site: Site) -> None:
    before = Shelf(site.workspace / "releases").ids()
    site.write(TEXT.replace('p99_ms = "<= 100"', 'p99_ms = "<= 100"\ncalls_per_second = ">= 100_000"'))
    with pytest.raises(GateFailed, match="calls_per_second") as caught:
        site.build()
    assert isinstance(caught.value, PreconditionFailed)
    failed = [gate for gate in caught.value.details["gates"] if not gate["passed"]]
    assert [(gate["name"], gate["found"]) for gate in failed] == [("calls_per_second", 500.0)]
    assert failed[0]["wanted"].replace("_", "") == ">= 100000"
    assert Shelf(site.workspace / "releases").ids() == before


def test_a_gate_on_what_cannot_be_measured_fails(site: Site) -> None:
    text = TEXT.replace("[demand]\ncalls_per_month = 100_000\n", "")
    site.write(text.replace('p99_ms = "<= 100"', 'p99_ms = "<= 100"\ngross_margin = ">= 0.1"'))
    with pytest.raises(GateFailed, match="not measured"):
        site.build()


def test_a_waived_gate_lets_the_release_pass_and_its_reason_stays_in_it(site: Site) -> None:
    site.write(TEXT.replace('p99_ms = "<= 100"', 'p99_ms = "<= 100"\ncalls_per_second = ">= 100_000"'))
    report = site.build(waive={"calls_per_second": "the launch customer is small"})
    release = Release.open(report.path)
    assert release.manifest.waivers == {"calls_per_second": "the launch customer is small"}
    gates = {gate["name"]: gate for gate in report.to_json()["gates"]}
    assert gates["calls_per_second"]["passed"] is False
    assert gates["calls_per_second"]["waived"] == "the launch customer is small"


def test_a_release_that_was_taken_off_the_shelf_is_written_again(site: Site) -> None:
    first = site.build()
    first.path.rename(site.root / "taken")
    again = site.build()
    assert again.release_id == first.release_id
    assert verify(again.path) == []


def test_a_step_folder_that_lost_a_file_is_made_again(site: Site, built: tuple[Site, BuildReport, Server]) -> None:
    verdict = next((site.workspace / "steps" / "judge").glob("*/verdict.json"))
    verdict.unlink()
    report = site.build()
    assert "judge" not in report.cached
    assert report.release_id == built[1].release_id
    assert Release.open(report.path).manifest.models["brightness"].test_reads == 1  # the same reading counts once


def changed(path: Path) -> None:
    """One byte in the middle turned over; the size stays."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_a_graph_that_changed_under_the_build_is_never_released(site: Site) -> None:
    before = Shelf(site.workspace / "releases").ids()
    site.write(TEXT.replace('p99_ms = "<= 100"', 'p99_ms = "<= 85"'))  # a new limit: the load tests run again
    server = Server()

    def change(_: LoadTestRequest) -> None:
        if len(server.asked) == 1:
            for graph in (site.workspace / "steps" / "compress").glob("*/graphs/*.onnx"):
                changed(graph)

    server.fail = change
    with pytest.raises(DamagedGraph, match="not the one that was measured") as caught:
        site.build(server)
    assert isinstance(caught.value, Corrupted)
    assert "build again" in caught.value.message
    assert Shelf(site.workspace / "releases").ids() == before


def test_a_release_step_refuses_a_graph_that_was_not_judged(tmp_path: Path) -> None:
    graph = tmp_path / "graphs" / "int8.onnx"
    graph.parent.mkdir()
    graph.write_bytes(b"as it was judged")
    candidate = Candidate(
        name="int8", engine="onnxruntime", recipe=(), precision="int8", graph="graphs/int8.onnx",
        graph_digest=digest_bytes(b"as it was judged"), size_bytes=16, parent=None,
    )  # fmt: skip
    assert graph_of(tmp_path, candidate) == graph
    graph.write_bytes(b"as it was forged")
    with pytest.raises(DamagedGraph, match="int8@onnxruntime"):
        graph_of(tmp_path, candidate)
    graph.unlink()
    with pytest.raises(DamagedGraph, match="found no file"):
        graph_of(tmp_path, candidate)


def test_two_builds_in_one_workspace_do_not_run_at_once(site: Site) -> None:
    with (site.workspace / "build.lock").open("a+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write("4711")
        other.flush()
        with pytest.raises(BuildRunning, match="process 4711"):
            site.build()


def test_an_interrupted_build_goes_on_where_it_was_stopped(site: Site) -> None:
    site.write(TEXT.replace('p99_ms = "<= 100"', 'p99_ms = "<= 90"'))  # a new limit: the load tests run again
    stopped = Server()
    stopped.fail = lambda request: KeyboardInterrupt() if len(stopped.asked) == 2 else None
    with pytest.raises(KeyboardInterrupt):
        site.build(stopped)
    resumed = Server()
    report = site.build(resumed)
    alive = [row for row in report.to_json()["candidates"] if row["rejected"] is None]
    assert len(resumed.asked) == len(alive) - 1  # the one that was finished is not measured again
    # Explained before is only who was chosen before, at the same times: no two measurements need to agree on that.
    assert set(report.cached) - {"explain"} == {"prepare", "train", "compress", "judge"}
    assert list((site.workspace / "steps").glob("*/.*.tmp")) == []


def test_a_candidate_whose_load_test_fails_is_a_rejected_row(site: Site) -> None:
    site.write(TEXT.replace('p99_ms = "<= 100"', 'p99_ms = "<= 80"'))
    server = Server()
    server.fail = lambda request: Unavailable("the port is taken") if len(server.asked) == 1 else None
    report = site.build(server).to_json()
    reasons = [row["rejected"] for row in report["candidates"] if row["rejected"]]
    assert "load test failed: the port is taken" in reasons


def test_where_no_candidate_can_be_load_tested_the_reasons_are_listed(site: Site) -> None:
    site.write(TEXT.replace('p99_ms = "<= 100"', 'p99_ms = "<= 70"'))
    server = Server(fail=lambda request: Unavailable("no server here"))
    with pytest.raises(NothingForSale) as caught:
        site.build(server)
    assert all("no server here" in problem for problem in caught.value.problems)


def test_a_recipe_that_cannot_work_is_a_rejected_row_and_float_is_released(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelmint.workshop.compression import recipe
    from modelmint.workshop.errors import RecipeFailed

    class Broken:
        tag = "int8"
        needs: frozenset[str] = frozenset()

        def apply(self, *_: Any) -> Any:
            raise RecipeFailed("unknown operator Frobnicate")

    monkeypatch.setitem(recipe.STEPS._known, "quantise", Broken())
    site.write(TEXT + "\n[compress]\ncalibration_samples = 31\n")
    report = site.build().to_json()
    rows = {(row["name"], row["engine"]): row for row in report["candidates"]}
    assert "unknown operator Frobnicate" in rows["int8", "onnxruntime"]["rejected"]
    assert next(row["name"] for row in report["candidates"] if row["chosen"]) == "onnx-fp32"


def test_without_a_recipe_the_same_content_gives_the_same_release_elsewhere(tmp_path: Path) -> None:
    text = TEXT + "\n[compress]\nrecipe = []\n"
    ids = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        site = new_site(tmp_path / name, rows=20)
        site.write(text.replace('auroc = ">= 0.6"', 'auroc = ">= 0.0"'))
        ids.append(site.build().release_id)
    assert ids[0] == ids[1]


def test_several_models_share_one_release_and_stand_under_their_names(tmp_path: Path) -> None:
    site = new_site(tmp_path, rows=20)
    text = TEXT.replace('[model]\nbase = "cnn"\nimage_size = 16\nepochs = 2\n', "")
    models = "".join(f'[models.{name}]\nbase = "cnn"\nimage_size = {size}\nepochs = 1\n' for name, size in SIZES)
    site.write(text.replace('auroc = ">= 0.6"', 'auroc = ">= 0.0"') + models + "[compress]\nrecipe = []\n")
    report = site.build()
    found = report.to_json()
    assert set(found["models"]) == {"small", "large"}
    assert "metrics" not in found
    release = Release.open(report.path)
    assert [release.spec(name).settings["image_size"] for name, _ in SIZES] == [8, 16]
    body = release.statements("cost")[0].body
    assert set(body["models"]) == {"small", "large"}
    assert "the models share them equally" in " ".join(body["models"]["small"]["assumptions"])
    assert found["models"]["small"]["cost"]["revenue"] == 1000.0  # half of 100,000 calls at 0.02 USD


def test_the_build_states_whether_its_explanations_tell_the_truth(built: tuple[Site, BuildReport, Server]) -> None:
    release = Shelf(built[0].workspace / "releases").get(built[1].release_id)
    (stated,) = [one for one in release.statements() if one.kind == "explanations"]
    body = stated.body
    assert (body["kind"], body["grid"], body["passes"]) in (("cam", [8, 8], 1), ("occlusion", [7, 7], 49))
    masking = body["masking"]
    assert (masking["n"], masking["split"], masking["share"]) == (18, "val", 0.102)
    for name in ("hottest", "random", "difference"):
        assert masking[name]["low"] <= masking[name]["value"] <= masking[name]["high"]
        assert masking[name]["n"] == 18
    gap = masking["hottest"]["value"] - masking["random"]["value"]
    assert masking["difference"]["value"] == pytest.approx(gap, abs=1e-4)
    assert body["extra_ms"]["value"] > 0
    assert [len(body["mean_map"]), len(body["mean_map"][0])] == body["grid"]
    assert set(body["mean_map_by_label"]) <= {"dark", "bright"}


def test_the_surest_cases_lie_in_the_workspace_and_not_in_the_release(
    built: tuple[Site, BuildReport, Server],
) -> None:
    site, report, _ = built
    folder = site.workspace / "cases" / report.release_id / "brightness"
    cases = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    assert 6 <= len(cases) <= 12
    for right in (True, False):
        sure = [case["probability"] for case in cases if case["right"] is right]
        assert sure == sorted(sure, reverse=True)
    for case in cases:
        assert case["right"] == (case["truth"] == case["label"])
        assert case["name"].startswith(f"{case['truth']}/")
        for file in (case["picture"], case["heat"]):
            with Image.open(folder / file) as picture_:
                assert picture_.format == "PNG"
                assert max(picture_.size) >= 112
    assert not list(report.path.rglob("*-heat.png"))


def test_explanations_that_cannot_be_made_are_told_and_the_release_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> object:
        raise BadOutputs("expected finite numbers for the map of an explanation, found NaN or infinity")

    monkeypatch.setattr("modelmint.workshop.steps.explain.explain_row", broken)
    site = new_site(tmp_path, rows=30)
    report = site.build()
    release = Shelf(site.workspace / "releases").get(report.release_id)
    (stated,) = [one for one in release.statements() if one.kind == "explanations"]
    assert "found NaN" in stated.body["failed"]
    assert not (site.workspace / "cases").exists()
