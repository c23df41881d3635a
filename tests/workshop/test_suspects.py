"""Suspected wrong labels, their review, and what comes of it."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelmint.data.corrections import corrections_csv
from modelmint.data.errors import BadCorrections
from modelmint.data.freeze import freeze
from modelmint.data.review_file import as_corrections, decided, read_review, review_csv
from modelmint.data.review_page import review_page
from modelmint.data.reviews import Reviewed, Suspects, read_suspects, write_suspects
from modelmint.data.version import DatasetVersion
from modelmint.kit.progress import Silent
from modelmint.venture.sections.data import DataSection
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop.errors import TooFewPictures
from modelmint.workshop.models.backbone import BaseRequest
from modelmint.workshop.models.identity import FROM_SCRATCH
from modelmint.workshop.models.registry import BACKBONES, resolve_base
from modelmint.workshop.suspects import find_suspects

WRONG = {"train/up/007.png", "train/up/031.png", "train/down/012.png", "val/down/003.png"}


def draw(folder: Path, label: str, count: int, seed: int) -> None:
    """Noise that gets brighter upwards or downwards."""
    (folder / label).mkdir(parents=True)
    rng = np.random.default_rng(seed)
    ramp = np.linspace(60, 180, 16)[:, None] * np.ones((1, 16))
    for number in range(count):
        name = f"{number:03}.png"
        truth = label if f"{folder.name}/{label}/{name}" not in WRONG else {"up": "down", "down": "up"}[label]
        pixels = (ramp if truth == "down" else ramp[::-1]) + rng.normal(0, 40, (16, 16))
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / label / name)


@pytest.fixture(scope="module")
def ramps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ramps")
    for place, (split, count) in enumerate((("train", 60), ("val", 20), ("test", 20))):
        draw(root / split, "up", count, 2 * place)
        draw(root / split, "down", count, 2 * place + 1)
    return root


@pytest.fixture(scope="module")
def dataset(ramps: Path, tmp_path_factory: pytest.TempPathFactory) -> DatasetVersion:
    folder = tmp_path_factory.mktemp("frozen") / "dataset"
    return freeze(DataSection(train="train", val="val", test="test"), ramps, folder, Silent())


def find(dataset: DatasetVersion, root: Path, base: str = "cnn") -> Suspects:
    return find_suspects(dataset, ModelSection(base=base), root, 10_000, Silent())


@pytest.fixture(scope="module")
def found(dataset: DatasetVersion, ramps: Path) -> Suspects:
    return find(dataset, ramps)


def test_wrong_labels_come_first_and_test_rows_are_not_looked_at(
    found: Suspects, dataset: DatasetVersion, ramps: Path
) -> None:
    assert {one.name for one in found.rows[:4]} == WRONG
    assert (found.n, found.folds, found.flagged) == (160, 5, 4)
    worst = found.rows[0]
    assert {worst.label, worst.suggested} == {"up", "down"}
    assert worst.score < 0.2 < 0.8 < worst.probability
    assert {one.split for one in found.rows} == {"train", "val"}
    assert find(dataset, ramps) == found


def test_a_ranking_is_kept_and_read_back(found: Suspects, dataset: DatasetVersion, tmp_path: Path) -> None:
    file = write_suspects(tmp_path, found)
    assert file == tmp_path / "reviews" / dataset.digest / "suspects.json"
    assert read_suspects(tmp_path, dataset.digest) == found
    assert read_suspects(tmp_path, "0" * 64) is None


def test_decisions_become_corrections_and_the_next_version_is_right(
    found: Suspects, dataset: DatasetVersion, ramps: Path, tmp_path: Path
) -> None:
    lines = list(csv.DictReader(io.StringIO(review_csv(found, {}))))
    assert [line["decision"] for line in lines] == [""] * len(found.rows)
    for line in lines[:3]:
        line["decision"] = "relabel"
    lines[3]["decision"], lines[4]["decision"] = "drop", "keep"
    file = tmp_path / "reviewed.csv"
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    decisions = read_review(file, dataset)
    assert [one.decision for one in decisions.values()] == ["relabel"] * 3 + ["drop", "keep"]
    corrections = as_corrections(decisions, [])
    (tmp_path / "fixes.csv").write_text(corrections_csv(corrections))
    section = DataSection(train="train", val="val", test="test", corrections=str(tmp_path / "fixes.csv"))
    after = freeze(section, ramps, tmp_path / "after", Silent())
    assert after.digest != dataset.digest
    assert {one.name for one in after.findings if one.kind == "corrected_label"} == WRONG
    again = find(after, ramps)
    assert again.flagged == 0
    states = decided(corrections, after)
    assert states[lines[4]["name"]] == Reviewed("keep", lines[4]["label"])
    assert sorted(one.decision for one in states.values()) == ["keep", "relabel", "relabel", "relabel"]


def test_wrong_decisions_are_told_line_by_line(dataset: DatasetVersion, tmp_path: Path) -> None:
    file = tmp_path / "reviewed.csv"
    file.write_text(
        "name,decision,new_label\n"
        "train/up/001.png,relable,down\n"
        "train/up/002.png,relabel,sideways\n"
        "test/up/001.png,drop,\n"
        "train/up/003.png,drop,\n"
        "train/up/003.png,keep,\n"
    )
    with pytest.raises(BadCorrections) as error:
        read_review(file, dataset)
    assert error.value.problems == (
        "line 2: expected keep, relabel, drop or nothing, found 'relable'; did you mean 'relabel'?",
        "line 3: to relabel, expected one of down, up under new_label; found 'sideways'",
        "line 4: no training or validation row is called 'test/up/001.png'; test rows are the judge's",
        "line 6: 'train/up/003.png' is decided otherwise in line 5; decide which",
    )


@pytest.mark.parametrize(("language", "word"), [("en", "Suspected wrong labels"), ("zh", "可疑标签")])
def test_the_page_holds_the_pictures_and_needs_nothing_else(
    found: Suspects, dataset: DatasetVersion, language: str, word: str
) -> None:
    page = review_page(found, {found.rows[0].name: Reviewed("drop", None)}, dataset, language)
    assert word in page
    assert page.count("data:image/png;base64,") == len(found.rows)
    assert "http" not in page
    assert "<script" not in page
    assert ("logistic regression on pixels" in page) == (language == "en")
    assert ("基于像素的逻辑回归（与标签相符的比例：像素 0." in page) == (language == "zh")


def test_a_base_that_brings_no_features_is_not_loaded(
    dataset: DatasetVersion, ramps: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "modelmint.workshop.models.registry", None)  # importing it is an error now
    assert "pixels" in find(dataset, ramps).method
    assert "pixels" in find(dataset, ramps, "own.onnx").method
    with pytest.raises(ImportError):
        find(dataset, ramps, "efficientnet-lite0")


def test_bases_that_learn_from_scratch_are_those_that_say_so(tmp_path: Path) -> None:
    fresh = {name for name in BACKBONES.names() if not resolve_base(BaseRequest(name, tmp_path)).pretrained}
    assert fresh == set(FROM_SCRATCH)


def test_a_label_with_one_picture_cannot_be_learned_from_others(tmp_path: Path) -> None:
    for split, count in (("train", 6), ("val", 3), ("test", 3)):
        draw(tmp_path / split, "up", count, 1)
    draw(tmp_path / "train", "down", 1, 5)
    dataset = freeze(
        DataSection(train="train", val="val", test="test", near_duplicates="off"),
        tmp_path,
        tmp_path / "frozen",
        Silent(),
    )
    with pytest.raises(TooFewPictures, match="found one with 1"):
        find(dataset, tmp_path)


def test_a_reviewed_file_with_a_cell_beyond_all_bounds_is_told_as_a_problem_of_its_line(
    dataset: DatasetVersion, tmp_path: Path
) -> None:
    file = tmp_path / "reviewed.csv"
    file.write_text("name,decision\ntrain/up/001.png,drop\n" + "x" * 200_000 + ",drop\n")
    with pytest.raises(BadCorrections) as error:
        read_review(file, dataset)
    (problem,) = error.value.problems
    assert "field larger than field limit" in problem
