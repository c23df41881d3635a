"""Corrections: what a reviewer decided about single rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelmint.data.corrections import Correction, corrections_csv, parse_corrections
from modelmint.data.errors import BadCorrections, SourceNotFound
from modelmint.data.freeze import source_digest
from modelmint.data.version import DatasetVersion
from modelmint.venture.sections.data import DataSection

Frozen = Callable[..., DatasetVersion]
Fill = Callable[..., None]


def labels(dataset: DatasetVersion) -> dict[str, tuple[str, str]]:
    return {
        row.name: (row.split, dataset.labels[row.label])
        for split in ("train", "val", "test")
        for row in dataset.rows(split)
    }


@pytest.fixture
def pets(tmp_path: Path, fill: Fill) -> Path:
    fill(tmp_path / "pets", {"cat": 20, "dog": 20})
    return tmp_path


def write(root: Path, text: str) -> None:
    (root / "fixes.csv").write_text(text)


def test_a_label_changes_a_row_goes_and_no_other_row_moves(pets: Path, frozen: Frozen) -> None:
    plain = frozen(source="pets")
    write(pets, "name,label,drop,note\ncat/003.png,dog,,a small dog\ndog/004.png,,yes,\ncat/005.png,cat,,\n")
    dataset = frozen(source="pets", corrections="fixes.csv")
    expected = labels(plain)
    expected["cat/003.png"] = (expected["cat/003.png"][0], "dog")
    del expected["dog/004.png"]
    assert labels(dataset) == expected
    assert dataset.digest != plain.digest
    assert [(one.name, one.action, one.message) for one in dataset.findings] == [
        ("cat/003.png", "changed", "labelled 'dog' instead of 'cat' by fixes.csv, line 2 (a small dog)"),
        ("dog/004.png", "skipped", "left out by fixes.csv, line 3"),
    ]


def test_confirming_changes_nothing_and_a_correction_stops_no_strict_build(pets: Path, frozen: Frozen) -> None:
    write(pets, "name,label\ncat/005.png,cat\n")
    assert frozen(source="pets", corrections="fixes.csv").digest == frozen(source="pets").digest
    write(pets, "name,drop\ncat/005.png,yes\n")
    assert frozen(source="pets", corrections="fixes.csv", on_problem="fail").counts["train"] > 0


def test_a_correction_settles_copies_under_two_labels(pets: Path, frozen: Frozen) -> None:
    (pets / "pets" / "dog" / "copy.png").write_bytes((pets / "pets" / "cat" / "001.png").read_bytes())
    kinds = {one.kind for one in frozen(source="pets").findings}
    assert "contradicting_label" in kinds
    write(pets, "name,drop\ndog/copy.png,yes\n")
    dataset = frozen(source="pets", corrections="fixes.csv")
    assert {one.kind for one in dataset.findings} == {"corrected_label"}
    assert "cat/001.png" in labels(dataset)


def test_every_wrong_line_is_told_with_its_number(pets: Path, frozen: Frozen) -> None:
    write(pets, "name,label,drop\ncat/999.png,dog,\ncat/001.png,dgo,\n\ncat/002.png,dog,\n")
    with pytest.raises(BadCorrections) as error:
        frozen(source="pets", corrections="fixes.csv")
    first, second = error.value.problems
    assert first.startswith("line 2: no row is called 'cat/999.png'")
    assert second == "line 3: expected one of the labels cat, dog; found 'dgo'; did you mean 'dog'?"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name,label\na,x\na,y\n", "line 3: 'a' is labelled 'y' here and labelled 'x' in line 2; decide which"),
        ("name,label,drop\na,x,yes\n", "line 2: 'a' is to be dropped and to be labelled 'x'; decide which"),
        ("name,label,drop\na,,\n", "line 2: 'a' has neither a label nor yes under drop"),
        ("name,label,drop\na,,perhaps\n", "line 2: expected yes or no under drop, found 'perhaps'"),
        ("name,label\n,x\n", "line 2: has no name"),
        ("name,label\na,x,y\n", "line 2: has more cells than the first line has columns"),
        ("nam,label\na,x\n", "line 1: expected the columns name and label, or name and drop; found nam, label"),
        ("", "line 1: expected the columns name and label, or name and drop; found none"),
    ],
)
def test_what_contradicts_itself_or_says_nothing_is_refused(text: str, problem: str) -> None:
    with pytest.raises(BadCorrections) as error:
        parse_corrections(text, "fixes.csv")
    assert error.value.problems[0] == problem


def test_the_file_is_a_part_of_the_source_and_missing_it_is_told(pets: Path, frozen: Frozen) -> None:
    section = DataSection(source="pets", corrections="fixes.csv")
    with pytest.raises(SourceNotFound, match=r"fixes\.csv"):
        frozen(source="pets", corrections="fixes.csv")
    write(pets, "name,label\ncat/005.png,cat\n")
    before = source_digest(section, pets, None)
    write(pets, "name,label\ncat/005.png,dog\n")
    assert source_digest(section, pets, None) != before


def test_what_is_written_is_read_back_even_where_a_name_looks_like_a_formula() -> None:
    decided = [Correction("=1+1.png", "cat", "sure"), Correction("b, c.png", None)]
    read = parse_corrections(corrections_csv(decided), "x.csv")
    assert [(one.name.removeprefix("'"), one.label, one.note) for one in read] == [
        ("=1+1.png", "cat", "sure"),
        ("b, c.png", None, ""),
    ]
