"""A flip is taken only where training pictures show that it does no harm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from modelmint.data.augment import choose, try_flips
from modelmint.data.pictures import encode_png
from modelmint.data.version import DatasetVersion

MILD = ("shift", "rotate", "scale", "brightness", "contrast")
Frozen = Callable[..., DatasetVersion]


def write(root: Path, draw: Callable[[np.random.Generator, int], np.ndarray], count: int = 400) -> None:
    """Two labels; ``draw(random, label)`` gives a bright shape on noise, 20 x 20."""
    random = np.random.default_rng(0)
    for place in range(count):
        folder = root / ("one", "two")[place % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 60, (20, 20)) + draw(random, place % 2)
        (folder / f"{place}.png").write_bytes(encode_png(pixels.clip(0, 255).astype(np.uint8)))


def test_digits_are_never_flipped(frozen: Frozen) -> None:
    choice = choose(frozen(source="sklearn:digits"), "auto")
    assert choice.names == MILD
    assert choice.reasons["flip"].startswith("not taken: flipped, a linear classifier loses 0.")
    assert choice.reasons["flip-vertical"].startswith("not taken")


def test_left_and_right_matter_while_up_and_down_do_not(tmp_path: Path, frozen: Frozen) -> None:
    def sides(random: np.random.Generator, label: int) -> np.ndarray:
        shape = np.zeros((20, 20), dtype=np.int64)
        row = random.integers(0, 14)
        column = random.integers(0, 4) + (12 if label else 0)
        shape[row : row + 6, column : column + 4] = 150
        return shape

    write(tmp_path / "in", sides)
    choice = choose(frozen(source="in"), "auto")
    assert choice.names == (*MILD, "flip-vertical")
    assert "not taken" in choice.reasons["flip"]
    assert choice.reasons["flip-vertical"].startswith("taken: flipped, a linear classifier loses")


def test_brightness_survives_both_flips(tmp_path: Path, frozen: Frozen) -> None:
    write(tmp_path / "in", lambda random, label: np.full((20, 20), 60 * label + random.integers(0, 30)))
    assert choose(frozen(source="in"), "auto").names == (*MILD, "flip", "flip-vertical")


def test_where_a_linear_classifier_guesses_a_flip_is_not_proven(tmp_path: Path, frozen: Frozen) -> None:
    write(tmp_path / "in", lambda random, label: np.zeros((20, 20), dtype=np.int64))
    choice = choose(frozen(source="in"), "auto")
    assert choice.names == MILD
    assert "no better than guessing" in choice.reasons["flip"]


def test_what_is_asked_for_is_taken_as_it_is(frozen: Frozen) -> None:
    dataset = frozen(source="sklearn:digits")
    assert choose(dataset, "none").names == ()
    assert choose(dataset, ["flip", "erase", "flip"]).names == ("flip", "erase")


def test_the_choice_is_the_same_every_time_and_reads_no_test_rows(
    frozen: Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = frozen(source="sklearn:digits")
    first = choose(dataset, "auto")
    read: list[str] = []
    rows = DatasetVersion.rows
    monkeypatch.setattr(DatasetVersion, "rows", lambda self, split: (read.append(split), rows(self, split))[1])
    assert choose(dataset, "auto") == first
    assert set(read) == {"train"}


def test_the_interval_is_that_of_paired_differences(frozen: Frozen) -> None:
    trial = try_flips(frozen(source="sklearn:digits"))
    assert trial.loss["flip"].n == 1259
    assert 0.55 < trial.loss["flip"].low < trial.loss["flip"].value < trial.loss["flip"].high < 0.7
    assert trial.above_guessing.low > 0.8
