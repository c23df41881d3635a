"""Shift between splits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelmint.data.version import DatasetVersion

Frozen = Callable[..., DatasetVersion]


def write(folder: Path, label: str, count: int, seed: int, add: int = 0) -> None:
    """Noise on grey, ``add`` brighter."""
    (folder / label).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for number in range(count):
        pixels = np.clip(rng.normal(100 + add, 30, (20, 20)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / label / f"{seed}-{number:03}.png")


def folders(root: Path, test_brighter: int = 0, test_b: int = 40) -> dict[str, str]:
    for place, split in enumerate(("train", "val", "test")):
        brighter = test_brighter if split == "test" else 0
        write(root / split, "a", 80 if split == "train" else 40, 10 * place, brighter)
        write(
            root / split, "b", 80 if split == "train" else test_b if split == "test" else 40, 10 * place + 1, brighter
        )
    return {split: split for split in ("train", "val", "test")}


def shifts(dataset: DatasetVersion) -> list[str]:
    return [one.name for one in dataset.findings if one.kind == "split_shift"]


def test_splits_of_one_kind_are_not_told_apart(tmp_path: Path, frozen: Frozen) -> None:
    dataset = frozen(**folders(tmp_path))
    assert shifts(dataset) == []
    for one in dataset.shift["against_train"].values():
        assert one["auc"]["low"] <= 0.5 <= one["auc"]["high"]
        assert one["auc"]["n"] == 240
        low, high = (one["statistics"]["brightness"][end] for end in ("low", "high"))
        assert low <= 0 <= high
    assert dataset.shift["splits"]["train"]["labels"] == {"a": 80, "b": 80}


def test_a_brighter_test_split_is_found_and_measured(tmp_path: Path, frozen: Frozen) -> None:
    dataset = frozen(**folders(tmp_path, test_brighter=8))
    assert shifts(dataset) == ["test"]
    test = dataset.shift["against_train"]["test"]
    assert test["auc"]["low"] > 0.9
    assert test["statistics"]["brightness"]["value"] == pytest.approx(8, abs=0.7)
    message = next(one.message for one in dataset.findings if one.kind == "split_shift")
    assert f"{test['auc']['value']:.3f}" in message


def test_other_shares_of_labels_are_told(tmp_path: Path, frozen: Frozen) -> None:
    dataset = frozen(**folders(tmp_path, test_b=8))
    assert shifts(dataset) == ["test: a", "test: b"]
    share = dataset.shift["against_train"]["test"]["label_shares"]["b"]
    assert share["value"] == pytest.approx(8 / 48 - 0.5, abs=1e-6)
    assert share["low"] < share["value"] < share["high"] < -0.05
    assert frozen(**{split: split for split in ("train", "val", "test")}, on_problem="fail").digest == dataset.digest


def test_a_split_too_small_to_judge_has_no_figure(tmp_path: Path, frozen: Frozen) -> None:
    for place, split in enumerate(("train", "val", "test")):
        write(tmp_path / split, "a", 12, 10 * place)
        write(tmp_path / split, "b", 6, 10 * place + 1)
    dataset = frozen(train="train", val="val", test="test")
    assert dataset.shift["against_train"]["test"]["auc"] is None
    assert shifts(dataset) == []
