"""``modelmint predict --explain``: heat maps of local files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

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
