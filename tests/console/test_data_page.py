"""The page of the dataset: counts, findings with pictures, suspects with their review state."""

from __future__ import annotations

import dataclasses
import io
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelmint.data.card import card
from modelmint.data.freeze import freeze
from modelmint.data.reviews import Reviewed, Suspect, Suspects, write_reviewed, write_suspects
from modelmint.data.version import DatasetVersion
from modelmint.kit.canonical import pretty_json
from modelmint.kit.progress import Silent
from modelmint.operations.deploy import deploy
from modelmint.releases.bundle import write_release
from modelmint.testing.releases import brightness_parts
from modelmint.venture.sections.data import DataSection


def scene(seed: int, side: int = 40) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 7), dtype=np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


@pytest.fixture
def dataset(desk: Any, tmp_path: Path) -> DatasetVersion:
    """Frozen in the shop's workspace, with a release of it that is served; a training copy of a test picture in it."""
    source = tmp_path / "pictures"
    for place, split in enumerate(("train", "val", "test")):
        for label in ("bright", "dark"):
            (source / split / label).mkdir(parents=True)
            for number in range(4):
                scene(100 * place + 10 * len(label) + number).save(source / split / label / f"{number}.png")
    scene(200 + 10 * 4).resize((60, 60)).save(source / "train" / "dark" / "<b>twin.png")
    (source / "train" / "dark" / "broken.png").write_bytes(b"\x89PNG nothing")
    into = desk.shop.workspace / "steps" / "prepare" / "one"
    version = freeze(DataSection(train="train", val="val", test="test"), source, into, Silent())
    manifest, files = brightness_parts()
    manifest = dataclasses.replace(manifest, dataset={"digest": version.digest, "rows": version.counts})
    files["dataset.json"] = pretty_json(card(version)).encode()
    release = write_release(desk.shop.shelf.root, manifest, files)
    deploy(desk.shop.books, desk.shop.shelf, release.id)
    return version


def keep_suspects(desk: Any, version: DatasetVersion) -> None:
    rows = (
        Suspect("train/dark/1.png", "train", "dark", "bright", 0.97, 0.03, True),
        Suspect("val/bright/2.png", "val", "bright", "dark", 0.6, 0.4, False),
    )
    write_suspects(desk.shop.workspace, Suspects(version.digest, "by hand", 5, 16, 1, rows))
    write_reviewed(desk.shop.workspace, version.digest, {"train/dark/1.png": Reviewed("relabel", "bright")})


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", ("nearly the same picture", "relabelled after review", "not reviewed", "ends early or is damaged")),
        ("zh", ("几乎相同的图片", "审核后改标签", "未审核", "不完整或已损坏", "8 张测试图片中 1 张", "按来源所给")),
    ],
)
def test_the_page_shows_counts_findings_twins_and_suspects(
    desk: Any, dataset: DatasetVersion, language: str, says: tuple[str, ...]
) -> None:
    keep_suspects(desk, dataset)
    page = desk.reader(desk.token).get(f"/console/data?lang={language}")
    assert page.status_code == 200
    text = words(page.text)
    for one in says:
        assert one in text
    assert "train/dark/&lt;b&gt;twin.png" in page.text and "<b>twin" not in page.text
    assert "⟦" not in page.text and 'style="' not in page.text and "<script>" not in page.text
    assert page.headers["cache-control"] == "no-store"
    sources = re.findall(r'<img src="(/console/data/[^"]+)"', page.text)
    assert len(sources) == 4  # two twins, two suspects; the broken file was never frozen


def test_pictures_are_small_pngs_for_the_founder_only(desk: Any, founder: Any, dataset: DatasetVersion) -> None:
    sources = re.findall(r'<img src="(/console/data/[^"]+)"', founder.get("/console/data").text)
    for source in sources:
        answer = founder.get(source)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert answer.headers["cache-control"] == "no-store"
        assert max(Image.open(io.BytesIO(answer.content)).size) <= 192
        stranger = desk.reader().get(source, follow_redirects=False)
        assert stranger.status_code == 303 and stranger.headers["location"].startswith("/console/sign-in")
        assert desk.reader(desk.furnished.secret).get(source).status_code == 403


def test_a_test_picture_is_shown_as_evidence_and_not_otherwise(founder: Any, dataset: DatasetVersion) -> None:
    places = {row.name: number for number, row in enumerate(dataset.all_rows)}

    def status(name: str) -> int:
        code: int = founder.get(f"/console/data/picture/{dataset.digest}/{places[name]}").status_code
        return code

    assert status("test/dark/0.png") == 200  # the twin of a training picture
    assert status("test/dark/1.png") == 404
    assert status("train/dark/1.png") == 200


@pytest.mark.parametrize("place", ["99999", "-1", "1e3", "0/../1", "9" * 30, "x"])
def test_addresses_of_no_picture_find_nothing(founder: Any, dataset: DatasetVersion, place: str) -> None:
    assert founder.get(f"/console/data/picture/{dataset.digest}/{place}").status_code == 404
    assert founder.get(f"/console/data/picture/{'0' * 64}/1").status_code == 404
    assert founder.get(f"/console/data/picture/..%2f..%2fkeys/{place}").status_code == 404


def test_a_shop_without_the_frozen_data_says_so_and_shows_the_card(
    desk: Any, founder: Any, dataset: DatasetVersion
) -> None:
    shutil.rmtree(desk.shop.workspace / "steps")
    page = founder.get("/console/data")
    text = words(page.text)
    assert "The frozen data is not in this workspace" in text
    assert "nearly the same picture" in text and "bright" in text
    assert "/console/data/picture" not in page.text


def test_data_that_was_not_searched_for_twins_is_not_called_free_of_them(
    desk: Any, founder: Any, dataset: DatasetVersion, tmp_path: Path
) -> None:
    source = tmp_path / "pictures"
    off = DataSection(train="train", val="val", test="test", near_duplicates="off")
    shutil.rmtree(dataset.folder)  # the same rows, so the same digest
    version = freeze(off, source, desk.shop.workspace / "steps" / "prepare" / "two", Silent())
    manifest, files = brightness_parts()
    manifest = dataclasses.replace(manifest, dataset={"digest": version.digest, "rows": version.counts})
    files["dataset.json"] = pretty_json(card(version)).encode()
    deploy(desk.shop.books, desk.shop.shelf, write_release(desk.shop.shelf.root, manifest, files).id)
    text = words(founder.get("/console/data?lang=en").text)
    assert "Not looked for when this data was frozen" in text and "No near duplicates were found" not in text


def test_a_damaged_ranking_is_told_and_the_rest_is_shown(desk: Any, founder: Any, dataset: DatasetVersion) -> None:
    keep_suspects(desk, dataset)
    (desk.shop.workspace / "reviews" / dataset.digest / "suspects.json").write_text('{"rows": [')
    page = founder.get("/console/data")
    assert page.status_code == 200
    assert "The kept ranking cannot be read" in page.text and "--again" in page.text


def test_without_a_dataset_the_page_says_what_to_do(founder: Any) -> None:
    page = founder.get("/console/data")
    assert page.status_code == 200
    assert "No release with a dataset yet" in page.text
    assert founder.get("/console/data?from=x").status_code in (200, 422)
