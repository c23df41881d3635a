"""Names of readers, backbones and solutions that installed plugins announce."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from modelmint.testing.ventures import venture_text
from modelmint.venture import names
from modelmint.venture.errors import InvalidVenture
from modelmint.venture.load import load_venture


def written(folder: Path, text: str) -> Path:
    (folder / "venture.toml").write_text(text, encoding="utf-8")
    return folder


def test_built_in_names_need_no_look_through_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(**_: object) -> None:
        pytest.fail("every package that is installed was looked at")

    monkeypatch.setattr(names, "entry_points", look)
    assert load_venture(written(tmp_path, venture_text("brightness"))).file.model.base == "cnn"


def test_a_backbone_that_a_plugin_announces_is_known_and_one_that_nobody_does_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced = [EntryPoint("backbone:retina", "plugin:retina", "modelmint.plugins")]
    monkeypatch.setattr(names, "entry_points", lambda **_: announced)
    text = venture_text("brightness")
    assert 'base = "cnn"' in text
    assert load_venture(written(tmp_path, text.replace('"cnn"', '"retina"'))).file.model.base == "retina"
    with pytest.raises(InvalidVenture, match="retina"):  # named among what there is
        load_venture(written(tmp_path, text.replace('"cnn"', '"cornea"')))
