"""Every registered reader keeps the same promises on a source of its own kind."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelmint.data.errors import SourceNotFound, UnreadableSource
from modelmint.data.pictures import open_picture
from modelmint.data.readers.registry import READERS
from modelmint.data.types import SPLITS, RawData, Source
from modelmint.venture.names import BUILT_IN


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (6, 5), dtype=np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


def write_folders(root: Path) -> str:
    for seed in range(8):
        folder = root / "pictures" / ("cat", "dog")[seed % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{seed}.png").write_bytes(png(seed))
    return "pictures"


def write_list(root: Path) -> str:
    (root / "some").mkdir()
    for seed in range(8):
        (root / "some" / f"{seed}.png").write_bytes(png(seed))
    (root / "some.txt").write_text("".join(f"{('cat', 'dog')[seed % 2]} {seed}.png\n" for seed in range(8)))
    return "some.txt"


def write_npz(root: Path) -> str:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 6, 5), dtype=np.uint8)
    np.savez_compressed(root / "set.npz", train_images=pixels, train_labels=np.arange(8)[:, None] % 2)
    return "set.npz"


#: Reader -> writes a source for it and returns its text. A new reader needs a line here.
SOURCES: dict[str, Callable[[Path], str]] = {
    "folders": write_folders,
    "list": write_list,
    "npz": write_npz,
    "sklearn": lambda _root: "sklearn:digits",
}
each_reader = pytest.mark.parametrize("name", READERS.names())


def source_for(name: str, root: Path) -> Source:
    text = SOURCES[name](root)
    return Source(text, (root / text).resolve())


def contents(data: RawData) -> list[tuple[str, str | None, str | None, bytes]]:
    return [(row.name, row.label, row.split, row.load()) for row in data.rows]


def test_the_venture_file_knows_the_same_names() -> None:
    assert sorted(BUILT_IN["reader"]) == READERS.names()
    assert sorted(SOURCES) == READERS.names()


@each_reader
def test_only_its_own_kind_of_source_is_recognised(name: str, tmp_path: Path) -> None:
    source = source_for(name, tmp_path)
    assert [other for other in READERS.names() if READERS.get(other).recognises(source)] == [name]


@each_reader
def test_nothing_is_recognised_where_nothing_is(name: str, tmp_path: Path) -> None:
    assert not READERS.get(name).recognises(Source("nowhere.xyz", tmp_path / "nowhere.xyz"))


@each_reader
def test_rows_have_names_of_their_own_known_labels_and_pictures(name: str, tmp_path: Path) -> None:
    data = READERS.get(name).read(source_for(name, tmp_path))
    assert len({row.name for row in data.rows}) == len(data.rows) >= 8
    assert {row.label for row in data.rows} == set(data.labels)
    assert all(row.split in (None, *SPLITS) for row in data.rows)
    assert all(open_picture(row.load(), 10_000).mode == "L" for row in data.rows[:20])
    assert data.facts["format"] == name


@each_reader
def test_reading_twice_gives_the_same_rows_and_bytes(name: str, tmp_path: Path) -> None:
    source = source_for(name, tmp_path)
    reader = READERS.get(name)
    assert contents(reader.read(source)) == contents(reader.read(source))


@each_reader
def test_the_files_it_reads_are_named_and_there(name: str, tmp_path: Path) -> None:
    source = source_for(name, tmp_path)
    files = READERS.get(name).files(source)
    assert files
    assert list(files) == list(dict.fromkeys(files))
    assert all(file.is_file() for file in files)


@each_reader
def test_a_source_of_another_kind_is_refused_by_name(name: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.bin"
    wrong.write_bytes(bytes(range(256)) * 4)
    with pytest.raises((UnreadableSource, SourceNotFound)) as caught:
        READERS.get(name).read(Source("wrong.bin", wrong))
    assert "expected" in caught.value.message
