"""Whatever a file is called, it is frozen, named in findings and counted in the source's digest."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from modelmint.data.freeze import source_digest
from modelmint.data.types import SPLITS
from modelmint.data.version import DatasetVersion
from modelmint.venture.sections.data import DataSection

Frozen = Callable[..., DatasetVersion]
Fill = Callable[..., None]
Picture = Callable[..., bytes]


def names_in(dataset: DatasetVersion) -> set[str]:
    return {row.name for split in SPLITS for row in dataset.rows(split)}


def test_names_that_are_no_utf8_are_kept_apart_and_written_down(
    tmp_path: Path, fill: Fill, picture: Picture, frozen: Frozen
) -> None:
    fill(tmp_path / "in", {"cat": 5, "dog": 5})
    for byte, seed in ((b"\xe9", 700), (b"\xe8", 701)):
        (tmp_path / "in/cat" / os.fsdecode(b"caf" + byte + b".png")).write_bytes(picture(seed))
    dataset = frozen(source="in")
    assert {"cat/caf\\xe9.png", "cat/caf\\xe8.png"} <= names_in(dataset)


def test_the_source_digest_and_findings_hold_whatever_bytes_names_are_made_of(
    tmp_path: Path, fill: Fill, picture: Picture, monkeypatch: pytest.MonkeyPatch, frozen: Frozen
) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 10**19)  # the files have long been settled
    fill(tmp_path / "in", {"cat": 5, "dog": 5})
    section, cache = DataSection(source="in"), tmp_path / "cache.json"
    before = source_digest(section, tmp_path, cache)
    odd = tmp_path / "in/cat" / os.fsdecode(b"\xd6\xd0.png")
    odd.write_bytes(picture(700))
    added = source_digest(section, tmp_path, cache)
    assert added == source_digest(section, tmp_path, cache) == source_digest(section, tmp_path, None) != before
    odd.write_bytes(picture(701))
    assert source_digest(section, tmp_path, cache) not in (before, added)
    odd.rename(odd.with_name("real.png"))
    odd.symlink_to(tmp_path / os.fsdecode(b"gone \xd6.png"))
    assert ("outside_source", "cat/\\xd6\\xd0.png") in [(f.kind, f.name) for f in frozen(source="in").findings]


def test_two_spellings_of_one_name_both_count_in_the_source_digest(
    tmp_path: Path, fill: Fill, picture: Picture
) -> None:
    fill(tmp_path / "in", {"cat": 2, "dog": 2})
    (tmp_path / "in/cat/caf\u00e9.png").write_bytes(picture(1))
    (tmp_path / "in/cat/cafe\u0301.png").write_bytes(picture(2))
    section = DataSection(source="in")
    found = {source_digest(section, tmp_path, None)}
    for name in ("caf\u00e9.png", "cafe\u0301.png"):
        (tmp_path / "in/cat" / name).write_bytes(picture(3))
        found.add(source_digest(section, tmp_path, None))
    assert len(found) == 3


def test_names_with_line_separators_of_other_scripts_are_read_back(
    tmp_path: Path, fill: Fill, picture: Picture, frozen: Frozen
) -> None:
    fill(tmp_path / "in", {"cat": 5, "dog": 5})
    for seed, mark in enumerate("\u2028\u2029\u0085\x0b\x0c"):
        (tmp_path / "in/cat" / f"a{mark}b.png").write_bytes(picture(800 + seed))
        (tmp_path / "in/dog" / f"a{mark}b.png").write_bytes(b"no picture")
    dataset = frozen(source="in")
    assert {f"cat/a{mark}b.png" for mark in "\u2028\u2029\u0085\x0b\x0c"} <= names_in(dataset)
    assert {finding.name for finding in dataset.findings} == {
        f"dog/a{mark}b.png" for mark in "\u2028\u2029\u0085\x0b\x0c"
    }
