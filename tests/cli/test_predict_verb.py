"""``modelmint predict --explain``: heat maps of local files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modelmint.testing.pictures import picture
from modelmint.testing.shops import furnish


def test_a_heat_map_is_laid_beside_each_answer_as_the_files_lie(modelmint: Any, tmp_path: Path) -> None:
    made = furnish(tmp_path / "brightness")
    pictures, heat = tmp_path / "scans", tmp_path / "heat"
    (pictures / "ward").mkdir(parents=True)
    (pictures / "a.png").write_bytes(picture(200, noise=40))
    (pictures / "ward" / "a.png").write_bytes(picture(60, noise=40))
    (pictures / "cut.png").write_bytes(picture(60, noise=40)[:90])
    done = modelmint("-C", str(made.root), "--json", "predict", str(pictures), "--explain", str(heat))
    assert done.code == 2  # one file cannot be read
    rows = {Path(row["file"]).relative_to(pictures).as_posix(): row for row in done.json["predictions"]}
    assert rows["cut.png"]["error"]["code"] == "truncated_picture"
    assert "explanation" not in rows["cut.png"]
    for name in ("a.png", "ward/a.png"):
        found = rows[name]["explanation"]
        assert (found["kind"], found["grid"], found["label"]) == ("occlusion", [7, 7], rows[name]["label"])
        assert found["png"] == str(heat / f"{name}.png")
        with Image.open(io.BytesIO((heat / f"{name}.png").read_bytes())) as drawn:
            assert (drawn.format, drawn.size) == ("PNG", (112, 112))
    assert sorted(file.relative_to(heat).as_posix() for file in heat.rglob("*.png")) == ["a.png.png", "ward/a.png.png"]


@pytest.mark.parametrize("explain_first", [True, False])
def test_the_folder_for_heat_maps_stands_before_the_picture_or_behind_it(
    modelmint: Any, tmp_path: Path, explain_first: bool
) -> None:
    made = furnish(tmp_path / "brightness")
    file, heat = tmp_path / "a.png", tmp_path / "heat"
    file.write_bytes(picture(200, noise=40))
    option = ["--explain", f"{heat}/"]
    words = [*option, str(file)] if explain_first else [str(file), *option]
    done = modelmint("-C", str(made.root), "--json", "predict", *words)
    assert done.code == 0
    assert done.json["predictions"][0]["explanation"]["png"] == str(heat / "a.png.png")
    assert (heat / "a.png.png").is_file()


def test_a_picture_in_the_place_of_the_folder_is_told_with_the_line_that_was_meant(
    modelmint: Any, tmp_path: Path
) -> None:
    made = furnish(tmp_path / "brightness")
    file, other = tmp_path / "a.png", tmp_path / "b.png"
    for path in (file, other):
        path.write_bytes(picture(200, noise=40))
    before = file.read_bytes()
    for words in (["--explain", str(file)], [str(file), "--explain", str(other)]):
        done = modelmint("-C", str(made.root), "--json", "predict", *words)
        assert done.code == 2
        assert f"predict {file} --explain heat/" in done.json["error"]["message"]
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png", "brightness"]


def test_without_a_picture_it_is_said_what_is_missing(modelmint: Any, tmp_path: Path) -> None:
    done = modelmint("-C", str(furnish(tmp_path / "brightness").root), "--json", "predict")
    assert done.code == 2
    assert "expected a picture or a folder of pictures" in done.json["error"]["message"]
