"""Releases that cannot be opened, and the shelf they lie on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelmint.kit.canonical import canonical_json
from modelmint.releases.errors import UnreadableManifest
from modelmint.releases.shelf import Shelf
from modelmint.testing.releases import brightness_release


def test_a_manifest_without_a_model_is_corrupted_and_not_shelved(tmp_path: Path) -> None:
    release = brightness_release(tmp_path / "shelf")
    raw = json.loads((release.path / "manifest.json").read_bytes())
    raw["models"] = {}
    empty = tmp_path / "empty"
    release.path.rename(empty)
    (empty / "manifest.json").write_bytes(canonical_json(raw))
    with pytest.raises(UnreadableManifest, match="at least one model"):
        Shelf(tmp_path / "elsewhere").add(empty)
    assert Shelf(tmp_path / "elsewhere").ids() == []


def test_a_broken_release_is_named_where_it_is_needed_and_the_others_can_be_had(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    sound, broken, empty = (brightness_release(shelf.root, sharpness=float(seed)) for seed in (4, 5, 6))
    (broken.path / "manifest.json").write_bytes(b"{")
    (empty.path / "manifest.json").unlink()
    assert shelf.get(sound.id).id == sound.id
    for one in (broken, empty):
        with pytest.raises(UnreadableManifest, match=one.id[:12]):
            shelf.get(one.id)
    with pytest.raises(UnreadableManifest, match="on the shelf is broken"):
        shelf.list()
    releases, found = shelf.survey()
    assert [release.id for release in releases] == [sound.id]
    assert sorted(error.message.split()[1] for error in found) == sorted([broken.id[:12], empty.id[:12]])
