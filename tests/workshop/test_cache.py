"""Steps by digest, and what happens to one whose files were changed meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from modelmint.kit.progress import Silent
from modelmint.workshop.cache import Done, StepCache


class Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def work(folder: Path, _: str) -> Mapping[str, Any]:
    (folder / "plots").mkdir()
    (folder / "verdict.json").write_text('{"reads": 1}')
    (folder / "rows.npz").write_bytes(b"rows of the judge")
    (folder / "plots" / "roc.svg").write_text("<svg/>")
    return {"reads": 1}


def done(root: Path, progress: Notes | None = None) -> Done:
    return StepCache(root, progress or Notes()).run("judge", {"of": "x"}, work)


def test_a_step_with_the_same_inputs_is_not_done_again(tmp_path: Path) -> None:
    assert not done(tmp_path).cached
    again = done(tmp_path)
    assert again.cached
    assert again.facts == {"reads": 1}


@pytest.mark.parametrize("name", ["verdict.json", "rows.npz", "plots/roc.svg"])
def test_a_file_changed_at_the_same_size_is_made_again_and_said(tmp_path: Path, name: str) -> None:
    path = done(tmp_path).folder / name
    before = path.read_bytes()
    path.write_bytes(b"?" * len(before))
    progress = Notes()
    assert not done(tmp_path, progress).cached
    assert path.read_bytes() == before
    assert progress.notes == [f"judge is done again: {name} is not as it was written"]


def test_a_lost_file_and_an_unreadable_record_are_made_again_and_said(tmp_path: Path) -> None:
    folder = done(tmp_path).folder
    (folder / "rows.npz").unlink()
    progress = Notes()
    assert not done(tmp_path, progress).cached
    (folder / "step.json").write_text("{")
    assert not done(tmp_path, progress).cached
    assert done(tmp_path, progress).cached
    assert progress.notes == ["judge is done again: rows.npz is gone", "judge is done again: step.json cannot be read"]
