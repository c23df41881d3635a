"""The facts of a release: what is known is exact, what is missing, foreign or damaged is said."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from modelmint.evaluation.types import Scorecard
from modelmint.kit.clock import ManualClock
from modelmint.releases import statements
from modelmint.releases.bundle import Release
from modelmint.releases.dossier.cases import cases_of
from modelmint.releases.dossier.facts import dossier
from modelmint.releases.dossier.limits import limits
from modelmint.releases.dossier.types import Missing, Stated
from modelmint.releases.sign import KEY_FILE, public_key
from modelmint.testing.dossiers import MACHINE, keep_cases, statement_bodies, told_release
from modelmint.testing.releases import brightness_release
from modelmint.testing.ventures import venture_text

CLOCK = ManualClock(datetime(2026, 5, 1, 12, tzinfo=UTC))
CARD = """
[card]
users = "photographers"
tested_on = "grey squares of 2026"
limits = ["it knows no colour"]
out_of_scope = ["portraits"]
contact = "desk@shop.example"
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / ".modelmint"


def test_every_statement_of_a_build_is_read_exactly(workspace: Path) -> None:
    release = told_release(workspace, clock=CLOCK)
    found = dossier(release, workspace, public_key(workspace / "keys" / KEY_FILE))
    model = found.models[0]
    assert isinstance(model.card, Scorecard)
    assert model.card.metrics["accuracy"].n == 120
    assert isinstance(model.cost, Stated)
    assert model.cost.what.figures["gross_margin"] == Decimal("0.799344262")
    assert model.cost.what.monthly_value is not None
    assert model.cost.what.monthly_value.low == Decimal("212.30")
    assert model.cost.source.signed_by == "own"
    assert (model.cost.source.machine, model.cost.source.made_at) == (MACHINE, "2026-05-01T12:00:00Z")
    assert model.cost.source.hardware == "2 × Testing CPU, 8.0 GiB, Linux x86_64"
    assert isinstance(model.explained, Stated)
    assert model.explained.what.difference is not None
    assert model.explained.what.difference.low == 0.2225
    assert isinstance(model.gates, Stated)
    assert [(gate.passed, gate.waived) for gate in model.gates.what] == [
        (True, None),
        (False, "the pilot allows it"),
        (False, None),
    ]
    assert found.damage == ()
    assert found.data.findings == (("exact_duplicate", "skipped", 3),)


def test_the_front_holds_what_no_candidate_for_sale_beats(workspace: Path) -> None:
    model = dossier(told_release(workspace), workspace).models[0]
    assert isinstance(model.candidates, Stated)
    marks = {row.key: (row.front, row.chosen, row.rejected is not None) for row in model.candidates.what.rows}
    assert marks == {
        "torch-fp32@torch": (False, False, True),
        "onnx-fp32@onnxruntime": (False, False, False),
        "int8@onnxruntime": (True, True, False),
        "int8@openvino": (False, False, True),
    }


def test_a_release_without_anything_beside_it_says_what_is_missing_and_what_fills_it(workspace: Path) -> None:
    found = dossier(brightness_release(workspace / "releases"), workspace)
    model = found.models[0]
    for part in ("cost", "gates", "candidates", "explained", "cases", "card"):
        what = getattr(model, part)
        assert isinstance(what, Missing), part
        assert what.command == "modelmint build", part
    assert (found.made_at, found.made_with, found.data.by_label, found.statements) == ("", "", {}, ())


def test_an_old_release_without_explanations_tells_the_rest(workspace: Path) -> None:
    model = dossier(told_release(workspace, leave_out=("explanations",)), workspace).models[0]
    assert model.explained == Missing("missing.explanations", "modelmint build")
    assert isinstance(model.cost, Stated)


def test_a_statement_signed_elsewhere_counts_and_is_shown_as_foreign(workspace: Path, tmp_path: Path) -> None:
    release = told_release(workspace)
    found = dossier(release, workspace, "another key")
    assert {one.signed_by for one in found.statements} == {"foreign"}
    assert isinstance(found.models[0].gates, Stated)


def test_a_damaged_statement_is_named_and_nothing_in_it_is_shown(workspace: Path) -> None:
    release = told_release(workspace)
    (file,) = (release.path / "statements").glob("gates-*.json")
    file.write_bytes(file.read_bytes().replace(b"0.858333", b"0.958333"))
    found = dossier(Release.open(release.path), workspace)
    assert found.models[0].gates == Missing("missing.damaged", "modelmint build")
    assert [one.signed_by for one in found.statements].count("bad") == 1
    assert [(item.path, item.kind) for item in found.damage] == [(f"statements/{file.name}", "bad_signature")]


def test_a_damaged_scorecard_is_missing_and_the_damage_is_told(workspace: Path) -> None:
    release = told_release(workspace)
    file = release.path / "evaluation.json"
    file.write_text(file.read_text().replace("0", "1", 1))
    found = dossier(Release.open(release.path), workspace)
    assert isinstance(found.models[0].card, Missing)
    assert [item.path for item in found.damage] == ["evaluation.json"]


@pytest.mark.parametrize("kind", ["cost", "gates", "timings", "explanations"])
@pytest.mark.parametrize("body", [{"exact": 3, "gates": 7, "candidates": None}, {"exact": {}, "gates": [{}], "x": []}])
def test_a_body_of_another_form_is_missing_never_an_error(workspace: Path, kind: str, body: dict[str, object]) -> None:
    found = dossier(told_release(workspace, bodies={kind: body}), workspace)
    part = {"timings": "candidates", "explanations": "explained"}.get(kind, kind)
    what = getattr(found.models[0], part)
    assert what == Missing("missing.form", "modelmint build") or what == Missing(f"missing.{kind}", "modelmint build")


def test_the_newest_statement_counts_and_a_bench_elsewhere_adds_its_rate_only(workspace: Path) -> None:
    release = told_release(workspace, clock=CLOCK)
    later = ManualClock(datetime(2026, 6, 1, tzinfo=UTC))
    body = {
        "models": {"brightness": {"engine": "openvino", "threads": 2, "calls_per_second": 77.5}},
        "payloads": "noise",
    }
    statements.add(release, "cost", body, workspace / "keys" / KEY_FILE, "0123456789abcdef", later)
    model = dossier(release, workspace).models[0]
    assert isinstance(model.cost, Stated)
    assert model.cost.source.machine == MACHINE
    assert [(rate.source.machine, rate.what.calls_per_second) for rate in model.rates] == [
        ("0123456789abcdef", 77.5),
        (MACHINE, 911.5),
    ]


def test_each_of_several_models_reads_its_own_part(workspace: Path) -> None:
    bodies = statement_bodies()
    several = {kind: {"models": {"brightness": bodies[kind]}} for kind in ("cost", "gates", "timings")}
    model = dossier(told_release(workspace, bodies=several), workspace).models[0]
    assert isinstance(model.cost, Stated)
    assert isinstance(model.gates, Stated)
    alone = {kind: {"models": {"other": bodies[kind]}} for kind in ("cost", "gates", "timings")}
    second = dossier(told_release(workspace, "second", bodies=alone), workspace).models[0]
    assert isinstance(second.gates, Missing)


def test_the_founders_words_come_from_the_bundled_venture_file(workspace: Path) -> None:
    found = dossier(told_release(workspace, venture=venture_text() + CARD), workspace)
    assert (found.founder.users, found.founder.tested_on) == ("photographers", "grey squares of 2026")
    assert (found.founder.limits, found.founder.out_of_scope) == (("it knows no colour",), ("portraits",))
    newer = dossier(told_release(workspace, venture=venture_text() + "[from_the_future]\nx = 1\n"), workspace)
    assert (newer.founder.name, newer.founder.users) == ("brightness", "")


def test_cases_are_read_with_their_pictures(workspace: Path) -> None:
    release = told_release(workspace)
    keep_cases(workspace, release)
    cases = dossier(release, workspace).models[0].cases
    assert not isinstance(cases, Missing)
    assert [(case.right, case.label, case.probability) for case in cases] == [
        (True, "bright", 0.9871),
        (True, "dark", 0.9452),
        (False, "bright", 0.8123),
    ]
    assert all(case.picture and case.picture.startswith(b"\x89PNG") for case in cases)


@pytest.mark.parametrize(
    "name", ["../../keys/statements.pem", "/etc/passwd", "link.png", "text.png", "gone.png", 7, "a\0b"]
)
def test_a_case_shows_no_file_but_a_picture_beside_its_list(workspace: Path, name: object) -> None:
    folder = workspace / "cases" / "r" / "m"
    folder.mkdir(parents=True)
    (folder / "text.png").write_text("not a picture")
    (folder / "link.png").symlink_to("/etc/passwd")
    case = {"name": "x", "truth": "a", "label": "a", "probability": 0.5, "right": True, "picture": name, "heat": None}
    (folder / "cases.json").write_text(json.dumps([case]))
    cases = cases_of(workspace, "r", "m")
    assert not isinstance(cases, Missing)
    assert cases[0].picture is None


@pytest.mark.parametrize("text", ["", "{", '{"a": 1}', "[1]", '[{"name": "x"}]', "null"])
def test_a_list_of_cases_that_cannot_be_read_is_missing(workspace: Path, text: str) -> None:
    folder = workspace / "cases" / "r" / "m"
    folder.mkdir(parents=True)
    (folder / "cases.json").write_text(text)
    assert isinstance(cases_of(workspace, "r", "m"), Missing)


def test_a_model_made_elsewhere_says_that_its_training_is_not_known(workspace: Path) -> None:
    trained = dossier(told_release(workspace), workspace).models[0]
    assert "limit.source" in {key for key, _ in limits(trained)}
    own = dataclasses.replace(trained, weights={"kind": "own model", "file": "model.onnx"})
    assert {"limit.own", "limit.source"} & {key for key, _ in limits(own)} == {"limit.own"}


def test_limits_follow_from_what_was_counted(workspace: Path) -> None:
    model = dossier(told_release(workspace), workspace).models[0]
    assert isinstance(model.card, Scorecard)
    said = dict(limits(model))
    (dark, bright) = model.card.confusion
    assert said["limit.wrong"]["wrong"] == str(dark[1] + bright[0])
    truth, row, missed = ("dark", dark, dark[1]) if dark[1] >= bright[0] else ("bright", bright, bright[0])
    assert (said["limit.pair"]["truth"], said["limit.pair"]["count"]) == (truth, str(missed))
    assert said["limit.pair"]["rows"] == str(sum(row))
    assert said["limit.compressed"] == {"drop": "−0.25"}
    assert "limit.never_abstains" in said and "limit.no_mistakes" not in said
    perfect = dataclasses.replace(model.card, confusion=((60, 0), (0, 60)))
    said = dict(limits(dataclasses.replace(model, card=perfect)))
    assert "limit.no_mistakes" in said and "limit.pair" not in said


def test_explanations_that_could_not_be_made_say_why(workspace: Path) -> None:
    body = {"failed": "the explanations could not be measured: out of memory"}
    model = dossier(told_release(workspace, bodies={"explanations": body}), workspace).models[0]
    assert model.explained == Missing("missing.unexplained", "modelmint build", body["failed"])
