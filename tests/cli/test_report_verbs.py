"""``report`` and ``releases show --card`` as they are typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelmint.testing.dossiers import told_release
from modelmint.testing.ventures import venture_text

Run = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "venture.toml").write_text(venture_text())
    told_release(root / ".modelmint")
    return root


def test_a_report_lies_beside_the_venture_file_unless_it_is_told_where(folder: Path, modelmint: Run) -> None:
    told = modelmint("-C", str(folder), "--json", "report", "--format", "html", "--language", "zh").json
    file = folder / f"report-{told['release'][:12]}-zh.html"
    assert told["files"] == [str(file)]
    assert "发布报告：brightness" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    elsewhere = folder / "out" / "card.html"
    ran = modelmint("-C", str(folder), "report", told["release"][:8], "-o", str(elsewhere))
    assert (ran.code, ran.out) == (0, f"Report on release {told['release'][:12]} in {elsewhere}\n")
    assert "Release report: brightness" in elsewhere.read_text()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("report", "--language", "de", "--format", "html"), 2, "expected a language of en, zh"),
        (("report", "--format", "pdf", "--out", "x.html"), 2, "does not go into a file that ends in .html"),
        (("report", "ffff"), 3, "no release starts with 'ffff'"),
    ],
)
def test_what_cannot_be_printed_is_refused_and_nothing_is_written(
    folder: Path, modelmint: Run, words: tuple[str, ...], code: int, says: str
) -> None:
    before = sorted(folder.iterdir())
    ran = modelmint("-C", str(folder), "--json", *words)
    assert ran.code == code
    assert says in ran.json["error"]["message"]
    assert sorted(folder.iterdir()) == before


def test_the_card_is_markdown_on_the_screen_and_text_in_json(folder: Path, modelmint: Run) -> None:
    text = modelmint("-C", str(folder), "--json", "releases", "show", "--card", "--language", "zh").json["card"]
    assert text.startswith("---\nlibrary_name: onnx\n") and "\n## 局限\n" in text
    shown = modelmint("-C", str(folder), "releases", "show", "--card").out
    assert shown.startswith("---\nlibrary_name: onnx\n") and "\n## Limits\n" in shown


def test_a_folder_without_a_release_says_what_makes_one(tmp_path: Path, modelmint: Run) -> None:
    (tmp_path / "venture.toml").write_text(venture_text())
    ran = modelmint("--json", "report")
    assert (ran.code, ran.json["error"]["code"]) == (3, "nothing_built")


def test_what_an_explanation_takes_is_shown_with_its_interval(folder: Path, modelmint: Run) -> None:
    ran = modelmint("-C", str(folder), "releases", "show")
    assert re.search(r"extra_ms\W+3\.76\d \[3\.51\d, 4\.03\d\]", ran.out), ran.out
