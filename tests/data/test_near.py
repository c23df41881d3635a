"""Near duplicates: copies resized, encoded anew and cropped, among pictures that are alike anyway."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelmint.data.version import DatasetVersion

Frozen = Callable[..., DatasetVersion]


def scene(seed: int, side: int = 48, colour: bool = False) -> Image.Image:
    """A smooth random picture: waves of low frequency, as photographs mostly are."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (7, 7, 3) if colour else (7, 7), dtype=np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


def again(picture: Image.Image, how: str) -> bytes:
    """The copy as the bytes of a file."""
    width, height = picture.size
    form = "PNG"
    if how == "smaller":
        picture = picture.resize((width * 2 // 3, height * 2 // 3), Image.Resampling.BILINEAR)
    elif how == "jpeg":
        form = "JPEG"
    elif how == "cropped":
        picture = picture.crop((round(0.04 * width), 0, width - 1, round(0.95 * height)))
    elif how == "negative":
        picture = Image.fromarray(255 - np.asarray(picture))
    elif how == "other colours":
        red, green, blue = picture.split()
        picture = Image.merge("RGB", (blue, green, red))
    buffer = io.BytesIO()
    picture.save(buffer, format=form)
    return buffer.getvalue()


@pytest.fixture
def shop(tmp_path: Path) -> Callable[[str, str, bytes], None]:
    """``train``, ``val`` and ``test`` folders of two labels with pictures of their own, and a way to add one."""

    def add(split: str, name: str, content: bytes) -> None:
        file = tmp_path / split / "a" / name.replace("/", "-")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    for place, split in enumerate(("train", "train", "val", "test")):
        for label in "ab":
            for number in range(6):
                seed = 100 * place + 10 * "ab".index(label) + number
                folder = tmp_path / split / label
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{seed}.png").write_bytes(again(scene(seed), "as it is"))
    return add


def near(dataset: DatasetVersion) -> list[tuple[str, str | None, str]]:
    return [(one.name, one.other, one.action) for one in dataset.findings if one.kind == "near_duplicate"]


SPLITS = {"train": "train", "val": "val", "test": "test"}


@pytest.mark.parametrize("how", ["smaller", "jpeg", "cropped"])
def test_a_changed_copy_in_test_is_told_and_the_training_row_stays(
    tmp_path: Path, shop: Callable[..., None], frozen: Frozen, how: str
) -> None:
    plain = frozen(**SPLITS)
    assert near(plain) == []
    assert plain.facts["near_duplicates"] == "none found"
    shop("test", "a/copy.img", again(scene(1), how))
    dataset = frozen(**SPLITS)
    assert near(dataset) == [("train/a/1.png", "test/a/a-copy.img", "kept")]
    assert dataset.facts["near_duplicates"] == (
        "1 pair; with a near duplicate in train: 1 of 13 test pictures, 0 of 12 val pictures"
    )
    assert dataset.counts == {"train": 24, "val": 12, "test": 13}


def test_skipping_takes_the_training_row_and_never_the_test_row(
    tmp_path: Path, shop: Callable[..., None], frozen: Frozen
) -> None:
    shop("test", "a/copy.img", again(scene(1), "jpeg"))
    shop("test", "a/copy-of-copy.img", again(scene(1), "cropped"))
    shop("train", "a/second.img", again(scene(2), "smaller"))
    dataset = frozen(**SPLITS, near_duplicates="skip")
    actions = {name: action for name, _, action in near(dataset)}
    assert actions == {
        "train/a/1.png": "skipped",
        "train/a/a-second.img": "skipped",
        "test/a/a-copy.img": "kept",
    }
    assert dataset.counts == {"train": 23, "val": 12, "test": 14}
    assert dataset.facts["near_duplicates"].endswith("0 of 14 test pictures, 0 of 12 val pictures")


def test_telling_changes_neither_rows_nor_digest_and_off_does_not_look(
    tmp_path: Path, shop: Callable[..., None], frozen: Frozen
) -> None:
    shop("test", "a/copy.img", again(scene(1), "jpeg"))
    told, off = frozen(**SPLITS), frozen(**SPLITS, near_duplicates="off")
    assert told.digest == off.digest
    assert near(off) == []
    assert "near_duplicates" not in off.facts
    strict = frozen(**SPLITS, on_problem="fail")  # a suspicion stops nobody
    assert near(strict) == near(told) != []


def test_what_only_resembles_is_no_duplicate(tmp_path: Path, shop: Callable[..., None], frozen: Frozen) -> None:
    shop("test", "a/negative.png", again(scene(1), "negative"))
    shop("train", "a/warm.png", again(scene(7000, colour=True), "as it is"))
    shop("train", "a/cold.png", again(scene(7000, colour=True), "other colours"))
    for number, grey in enumerate((10, 11, 200)):  # blank pictures have nothing to be alike in
        shop("train", f"a/blank{number}.png", again(Image.new("L", (40, 40), grey), "as it is"))
    assert near(frozen(**SPLITS)) == []


def test_a_film_of_like_frames_gives_each_frame_few_findings(
    tmp_path: Path, shop: Callable[..., None], frozen: Frozen
) -> None:
    base = np.asarray(scene(1), dtype=np.int64)
    for frame in range(60):
        noise = np.random.default_rng(frame).integers(-3, 4, base.shape)
        picture = Image.fromarray(np.clip(base + noise, 0, 255).astype(np.uint8))
        shop("train", f"a/frame{frame:02}.png", again(picture, "as it is"))
    found = near(frozen(**SPLITS))
    assert {name for name, _, _ in found} | {other for _, other, _ in found} >= {
        f"train/a/a-frame{frame:02}.png" for frame in range(60)
    }
    assert len(found) <= 61


def test_a_row_between_splits_is_counted_from_both_sides(
    tmp_path: Path, shop: Callable[..., None], frozen: Frozen
) -> None:
    shop("test", "a/one.img", again(scene(1), "jpeg"))
    shop("test", "a/two.img", again(scene(1), "smaller"))
    shop("val", "a/three.img", again(scene(1), "cropped"))
    facts = frozen(**SPLITS).facts["near_duplicates"]
    assert facts.endswith("with a near duplicate in train: 2 of 14 test pictures, 1 of 13 val pictures")
