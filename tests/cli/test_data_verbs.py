"""``modelmint data``: findings, suspects and their way back, cards, export, through the command line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Answer = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A venture whose pictures get brighter upwards or downwards; one label is wrong."""
    root = tmp_path_factory.mktemp("ramps")
    ramp = np.linspace(60, 180, 16)[:, None] * np.ones((1, 16))
    for place, (split, count) in enumerate((("train", 40), ("val", 12), ("test", 12))):
        for label in ("down", "up"):
            (root / "pictures" / split / label).mkdir(parents=True)
            rng = np.random.default_rng(2 * place + len(label))
            for number in range(count):
                up = (label == "up") != (split == "train" and label == "up" and number == 7)
                pixels = (ramp[::-1] if up else ramp) + rng.normal(0, 40, (16, 16))
                picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
                picture.save(root / "pictures" / split / label / f"{number:03}.png")
    (root / "venture.toml").write_text(
        '[venture]\nname = "ramps"\n\n[data]\ntrain = "pictures/train"\nval = "pictures/val"\n'
        'test = "pictures/test"\nlicence = "CC0 1.0"\n\n[model]\nbase = "cnn"\n'
    )
    return root


@pytest.fixture
def answer(modelmint: Callable[..., Any], home: Path) -> Callable[..., dict[str, Any]]:
    """What a verb of ``data`` answers, which must go well."""

    def ask(*words: str) -> dict[str, Any]:
        ran = modelmint("-C", str(home), "--json", "data", *words, timeout=300)
        assert ran.code == 0, ran
        found: dict[str, Any] = ran.json
        return found

    return ask


def test_suspects_go_out_and_decisions_come_back(home: Path, answer: Answer, tmp_path: Path) -> None:
    file, page = tmp_path / "suspects.csv", tmp_path / "suspects.html"
    found = answer("suspects", "--export", str(file), "--html", str(page), "--language", "zh")
    assert (found["flagged"], found["rows"][0]["name"]) == (1, "train/up/007.png")
    assert "可疑标签" in page.read_text()
    kept = json.loads((home / ".modelmint" / "reviews" / found["dataset"] / "suspects.json").read_text())
    assert {"dataset", "method", "folds", "n", "flagged", "rows"} == set(kept)
    lines = list(csv.DictReader(file.open(newline="")))
    lines[0]["decision"] = "relabel"
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    back = answer("suspects", "--import", str(file))
    assert (back["decisions"], back["named"]) == ({"keep": 0, "relabel": 1, "drop": 0}, False)
    assert answer("suspects")["rows"][0]["decision"] == "relabel"
    venture = home / "venture.toml"
    venture.write_text(venture.read_text().replace("[data]\n", '[data]\ncorrections = "corrections.csv"\n'))
    after = answer("suspects")
    assert after["dataset"] != found["dataset"]
    assert after["flagged"] == 0
    told = answer("findings", "--kind", "corrected_label")
    assert [(one["name"], one["action"]) for one in told["findings"]] == [("train/up/007.png", "changed")]


def test_the_card_comes_in_three_forms_and_the_shift_lies_beside_the_reviews(
    home: Path, answer: Answer, tmp_path: Path
) -> None:
    plain = answer("card", "--format", "json")["card"]
    assert plain["rows"] == {"train": 80, "val": 24, "test": 24}
    assert set(plain["shift"]["against_train"]) == {"val", "test"}
    markdown = answer("card")["card"]["markdown"]
    assert "## Shift" in markdown and plain["sha256"]["rows.jsonl"] in markdown
    answer("card", "--format", "croissant", "--out", str(tmp_path / "croissant.json"))
    told = json.loads((tmp_path / "croissant.json").read_text())
    assert told["license"] == "https://creativecommons.org/publicdomain/zero/1.0/"
    beside = json.loads((home / ".modelmint" / "reviews" / plain["digest"] / "shift.json").read_text())
    assert beside["against_train"] == plain["shift"]["against_train"]


def test_an_export_with_test_rows_is_counted_as_a_reading(
    home: Path, answer: Answer, modelmint: Callable[..., Any], tmp_path: Path
) -> None:
    assert answer("export", str(tmp_path / "a"))["pictures"] == {"train": 80, "val": 24}
    found = answer("export", str(tmp_path / "b"), "--with-test")
    assert (found["pictures"]["test"], found["test_reads"]) == (24, 1)
    again = modelmint("-C", str(home), "--json", "data", "export", str(tmp_path / "b"))
    assert (again.code, again.json["error"]["code"]) == (4, "folder_not_empty")
