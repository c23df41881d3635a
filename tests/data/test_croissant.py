"""The dataset as Croissant and as a plain folder, read back by mlcroissant, the reader of the standard's makers."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelmint.data.croissant import About, frozen_croissant
from modelmint.data.errors import FolderNotEmpty
from modelmint.data.export import export
from modelmint.data.version import DatasetVersion
from modelmint.kit.canonical import pretty_json
from modelmint.kit.digest import digest_bytes
from modelmint.kit.progress import Silent

Frozen = Callable[..., DatasetVersion]
Fill = Callable[..., None]
ABOUT = About("pets", "tells cats from dogs", "CC BY 4.0")


@pytest.fixture
def mlc(missing: Callable[[str], Any]) -> Any:
    try:
        import mlcroissant
    except ImportError:
        missing("needs mlcroissant (the extra 'test')")
    return mlcroissant


@pytest.fixture
def pets(tmp_path: Path, fill: Fill, frozen: Frozen, picture: Callable[..., bytes]) -> DatasetVersion:
    fill(tmp_path / "pets", {"cat": 10, "hot, dog/s".replace("/", " "): 10})
    (tmp_path / "pets" / "cat" / "photo.jpg").write_bytes(picture(900, "JPEG", mode="RGB"))
    return frozen(source="pets")


def test_the_frozen_form_is_valid_and_gives_every_row(mlc: Any, pets: DatasetVersion) -> None:
    file = pets.folder / "croissant.json"
    file.write_text(pretty_json(frozen_croissant(pets, ABOUT)))
    read = mlc.Dataset(file)
    assert not read.metadata.issues.errors
    records = list(read.records("rows"))
    assert [record["rows/name"].decode() for record in records] == [row.name for row in pets.all_rows]
    first, row = records[0], pets.all_rows[0]
    payload = (pets.folder / "payloads.bin").read_bytes()[first["rows/offset"] :][: first["rows/length"]]
    assert digest_bytes(payload) == first["rows/digest"].decode() == row.digest
    labels = [(record["labels/number"], record["labels/label"]) for record in read.records("labels")]
    assert labels == list(enumerate(pets.labels))


def test_the_same_version_gives_the_same_text_without_dates_or_places(pets: DatasetVersion, tmp_path: Path) -> None:
    text = pretty_json(frozen_croissant(pets, ABOUT))
    assert text == pretty_json(frozen_croissant(DatasetVersion.open(pets.folder), ABOUT))
    assert str(tmp_path) not in text
    told = json.loads(text)
    assert told["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert told["identifier"] == f"sha256:{pets.digest}"
    assert {one["name"]: one["sha256"] for one in told["distribution"]} == {
        name: pets.files[name] for name in ("rows.jsonl", "payloads.bin")
    }
    assert "license" not in frozen_croissant(pets, About("x", "", "not stated"))


def test_an_exported_folder_gives_pictures_with_their_labels(mlc: Any, pets: DatasetVersion, tmp_path: Path) -> None:
    into = tmp_path / "out"
    counts = export(pets, ABOUT, None, into, Silent())
    assert counts == {"train": pets.counts["train"], "val": pets.counts["val"]}
    read = mlc.Dataset(into / "croissant.json")
    assert not read.metadata.issues.errors
    found: Counter[tuple[str, str]] = Counter()
    for record in read.records("pictures"):
        found[record["pictures/split"].decode(), record["pictures/label"].decode()] += 1
        assert record["pictures/picture"].size == (12, 10)
    expected = Counter((row.split, pets.labels[row.label]) for row in pets.all_rows if row.split != "test")
    assert found == expected
    assert not (into / "test").exists()


def test_pictures_keep_their_bytes_and_test_is_written_only_when_given(pets: DatasetVersion, tmp_path: Path) -> None:
    payloads, _, reads = pets.judge_test("export", tmp_path / "log.jsonl")
    assert reads == 1
    counts = export(pets, ABOUT, payloads, tmp_path / "out", Silent())
    assert counts == pets.counts
    with (tmp_path / "out" / "rows.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == sum(pets.counts.values())
    for line in lines:
        place = next((tmp_path / "out" / line["split"]).glob(f"*/{line['file']}"))
        assert digest_bytes(place.read_bytes()) == line["sha256"]
    assert Counter(line["file"].rpartition(".")[2] for line in lines) == {"png": 20, "jpg": 1}


def test_nothing_is_written_over(pets: DatasetVersion, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(FolderNotEmpty):
        export(pets, ABOUT, None, tmp_path / "out", Silent())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]
