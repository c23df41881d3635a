"""From ``[data]`` to a dataset version."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelmint.data.errors import (
    DamagedDataset,
    DataRefused,
    SourceChanged,
    SourceNotFound,
    TooLittleData,
    UnreadableSource,
)
from modelmint.data.errors import TestSplitGuarded as Guarded
from modelmint.data.freeze import freeze, source_digest
from modelmint.data.inspect import look_at_all
from modelmint.data.pictures import open_picture
from modelmint.data.types import SPLITS
from modelmint.data.version import DatasetVersion
from modelmint.kit.progress import Silent
from modelmint.venture.sections.data import DataSection

Frozen = Callable[..., DatasetVersion]
Fill = Callable[..., None]
Picture = Callable[..., bytes]


def kinds(dataset: DatasetVersion) -> dict[tuple[str, str], str]:
    return {(finding.kind, finding.name): finding.action for finding in dataset.findings}


def test_digits_are_frozen_with_their_pixels_labels_and_splits(frozen: Frozen) -> None:
    dataset = frozen(source="sklearn:digits")
    assert dataset.labels == tuple("0123456789")
    assert dataset.counts == {"train": 1259, "val": 269, "test": 269}
    assert (dataset.channels, dataset.sizes, dataset.findings) == (1, (8, 8), ())
    assert dataset.facts["licence"] == "CC BY 4.0"
    from sklearn.datasets import load_digits

    digits = load_digits()
    for row, payload in zip(dataset.rows("val")[:20], dataset.payloads("val")[:20], strict=True):
        place = int(row.name.removeprefix("digits[").removesuffix("]"))
        assert row.label == digits.target[place]
        pixels = np.asarray(open_picture(payload, 64))
        assert np.array_equal(pixels, np.rint(digits.images[place] / 16 * 255))


def test_the_same_data_has_the_same_digest_wherever_it_lies(tmp_path: Path, fill: Fill, frozen: Frozen) -> None:
    fill(tmp_path / "one", {"cat": 10, "dog": 10})
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    first, second = frozen(source="one"), frozen(source="two")
    assert first.digest == second.digest
    assert [row.name for row in first.rows("train")] == [row.name for row in second.rows("train")]
    (tmp_path / "two" / "cat" / "000.png").rename(tmp_path / "two" / "cat" / "zzz.png")
    assert frozen(source="two").digest != first.digest


def test_the_digest_of_digits_is_the_same_on_every_machine(frozen: Frozen) -> None:
    dataset = frozen(source="sklearn:digits", licence="anything", on_problem="fail")
    assert dataset.digest == frozen(source="sklearn:digits").digest
    assert dataset.facts["licence"] == "anything"
    assert dataset.digest == "553842a166ebf87f7096e4a6aa8caeb198ff10af0de66b847c83333a68db1da2"


def test_test_rows_are_read_by_the_judge_only_and_counted(tmp_path: Path, frozen: Frozen) -> None:
    dataset = frozen(source="sklearn:digits")
    with pytest.raises(Guarded, match="judge"):
        dataset.payloads("test")
    with pytest.raises(Guarded):
        dataset.targets("test")
    with pytest.raises(Guarded):
        dataset.payloads_at("test", [0])
    log = tmp_path / "reads" / "log.jsonl"
    payloads, targets, count = dataset.judge_test("candidate a", log)
    assert (len(payloads), targets.dtype, targets.shape, count) == (269, np.int64, (269,), 1)
    assert targets.tolist() == [row.label for row in dataset.rows("test")]
    assert dataset.judge_test("candidate a", log)[2] == 1
    assert dataset.judge_test("candidate b", log)[2] == 2
    log.write_text(log.read_text() + '{"dataset": "x", "rea')  # a crash while writing
    assert dataset.judge_test("candidate a", log)[2] == 2
    assert dataset.judge_test("candidate c", log)[2] == 3
    assert dataset.judge_test("candidate d", log)[2] == 4
    assert [json.loads(line)["reading"][-1] for line in log.read_text().splitlines()] == ["a", "b", "c", "d"]


def test_a_changed_byte_is_found_and_its_row_named(frozen: Frozen) -> None:
    dataset = frozen(source="sklearn:digits")
    row = dataset.rows("val")[3]
    path = dataset.folder / "payloads.bin"
    content = bytearray(path.read_bytes())
    content[row.offset + 60] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedDataset, match=row.name.replace("[", r"\[")):
        DatasetVersion.open(dataset.folder).verify()
    rows = dataset.folder / "rows.jsonl"
    rows.write_text(rows.read_text().replace('"label":3', '"label":4'))
    with pytest.raises(DamagedDataset, match="was changed"):
        DatasetVersion.open(dataset.folder)
    with pytest.raises(DamagedDataset, match="expected a dataset version"):
        DatasetVersion.open(dataset.folder.parent)


def test_every_file_that_is_no_good_picture_has_a_finding(
    tmp_path: Path, fill: Fill, frozen: Frozen, picture: Picture
) -> None:
    fill(tmp_path / "in", {"cat": 10, "dog": 10})
    cat = tmp_path / "in" / "cat"
    (cat / "text.png").write_text("no picture")
    (cat / "empty.png").write_bytes(b"")
    (cat / "half.jpg").write_bytes(picture(500, "JPEG", (64, 64))[:400])
    (cat / "big.png").write_bytes(picture(501, "PNG", (101, 100)))
    (cat / "gone.png").symlink_to(cat / "nowhere.png")
    (cat / "secret.png").symlink_to("/etc/hostname")
    (cat / ".DS_Store").write_bytes(b"litter")
    (tmp_path / "in" / "loose.png").write_bytes(picture(502))
    (tmp_path / "in" / "elsewhere").symlink_to(tmp_path)
    os.mkfifo(cat / "pipe.png")
    dataset = frozen(source="in", max_pixels=10_000)
    assert kinds(dataset) == {
        ("not_an_image", "cat/text.png"): "skipped",
        ("not_an_image", "cat/empty.png"): "skipped",
        ("truncated", "cat/half.jpg"): "skipped",
        ("too_large", "cat/big.png"): "skipped",
        ("missing_file", "cat/gone.png"): "skipped",
        ("outside_source", "cat/secret.png"): "skipped",
        ("outside_source", "elsewhere"): "skipped",
        ("unknown_label", "loose.png"): "skipped",
        ("unreadable", "cat/pipe.png"): "skipped",
    }
    assert sum(dataset.counts.values()) == 20


def test_copies_within_a_split_are_left_out_and_named(tmp_path: Path, fill: Fill, frozen: Frozen) -> None:
    fill(tmp_path / "in", {"cat": 10, "dog": 10})
    shutil.copy(tmp_path / "in/cat/003.png", tmp_path / "in/cat/copy.png")
    with Image.open(tmp_path / "in/dog/004.png") as same_pixels:
        same_pixels.save(tmp_path / "in/dog/other bytes.bmp")
    dataset = frozen(source="in")
    assert kinds(dataset) == {
        ("exact_duplicate", "cat/copy.png"): "skipped",
        ("exact_duplicate", "dog/other bytes.bmp"): "skipped",
    }
    assert {finding.other for finding in dataset.findings} == {"cat/003.png", "dog/004.png"}
    assert sum(dataset.counts.values()) == 20


def test_a_picture_in_two_splits_stays_where_it_is_worth_most(tmp_path: Path, fill: Fill, frozen: Frozen) -> None:
    for start, split in enumerate(("train", "valid", "test")):
        fill(tmp_path / "in" / split, {"cat": 4, "dog": 4}, start * 100)
    shutil.copy(tmp_path / "in/test/cat/000.png", tmp_path / "in/train/cat/leak.png")
    shutil.copy(tmp_path / "in/test/cat/000.png", tmp_path / "in/test/cat/twice.png")
    shutil.copy(tmp_path / "in/valid/dog/000.png", tmp_path / "in/train/dog/leak.png")
    dataset = frozen(source="in")
    assert kinds(dataset) == {
        ("exact_duplicate", "test/cat/twice.png"): "kept",
        ("split_overlap", "train/cat/leak.png"): "skipped",
        ("split_overlap", "train/dog/leak.png"): "skipped",
    }
    assert dataset.counts == {"train": 8, "val": 8, "test": 9}
    assert dataset.facts["splits"] == "as the source states them"


def test_a_picture_under_two_labels_is_left_out_of_training_and_kept_in_test(
    tmp_path: Path, fill: Fill, frozen: Frozen
) -> None:
    for start, split in enumerate(("train", "val", "test")):
        fill(tmp_path / "in" / split, {"cat": 4, "dog": 4}, start * 100)
    shutil.copy(tmp_path / "in/train/cat/000.png", tmp_path / "in/train/dog/unsure.png")
    shutil.copy(tmp_path / "in/train/dog/001.png", tmp_path / "in/test/cat/unsure.png")
    dataset = frozen(source="in")
    assert kinds(dataset) == {
        ("contradicting_label", "train/cat/000.png"): "skipped",
        ("contradicting_label", "train/dog/unsure.png"): "skipped",
        ("contradicting_label", "train/dog/001.png"): "skipped",
        ("contradicting_label", "test/cat/unsure.png"): "kept",
    }
    assert dataset.counts == {"train": 6, "val": 8, "test": 9}


def test_on_problem_fail_lists_everything_and_freezes_nothing(
    tmp_path: Path, fill: Fill, frozen: Frozen, picture: Picture
) -> None:
    fill(tmp_path / "in", {"cat": 10, "dog": 60})
    shutil.copy(tmp_path / "in/cat/003.png", tmp_path / "in/cat/copy.png")
    (tmp_path / "in/dog/half.jpg").write_bytes(picture(500, "JPEG", (64, 64))[:400])
    with pytest.raises(DataRefused, match="1 exact_duplicate") as caught:
        frozen(source="in", on_problem="fail")
    assert [problem.split(": ")[:2] for problem in caught.value.problems] == [
        ["dog/half.jpg", "truncated"],
        ["cat/copy.png", "exact_duplicate"],
    ]
    assert caught.value.details == {"findings": {"truncated": 1, "exact_duplicate": 1}}
    assert not (tmp_path / "frozen").exists()


def test_imbalance_is_reported_and_stops_nothing(tmp_path: Path, fill: Fill, frozen: Frozen) -> None:
    fill(tmp_path / "in", {"cat": 10, "dog": 60})
    (finding,) = frozen(source="in", on_problem="fail").findings
    assert (finding.kind, finding.name, finding.action) == ("imbalance", "cat", "kept")
    assert "42 training pictures of 'dog' and 6 of 'cat'" in finding.message


def test_an_empty_class_is_dropped_unless_it_is_declared(tmp_path: Path, fill: Fill, frozen: Frozen) -> None:
    fill(tmp_path / "in", {"cat": 10, "dog": 10, "emu": 0})
    dataset = frozen(source="in")
    assert (dataset.labels, kinds(dataset)) == (("cat", "dog"), {("empty_class", "emu"): "skipped"})
    declared = frozen(source="in", labels=["emu", "dog", "cat"])
    assert (declared.labels, kinds(declared)) == (("emu", "dog", "cat"), {("empty_class", "emu"): "kept"})
    assert set(declared.targets("train").tolist()) == {1, 2}


def test_a_class_without_training_pictures_is_no_label_and_its_rows_are_left_out(
    tmp_path: Path, fill: Fill, frozen: Frozen
) -> None:
    fill(tmp_path / "in/train", {"cat": 10, "dog": 10})
    fill(tmp_path / "in/test", {"bird": 2, "cat": 3, "dog": 3}, start=100)
    dataset = frozen(source="in")
    assert dataset.labels == ("cat", "dog")
    assert dataset.counts["test"] == 6
    assert kinds(dataset) == {
        ("empty_class", "bird"): "skipped",
        ("unknown_label", "test/bird/000.png"): "skipped",
        ("unknown_label", "test/bird/001.png"): "skipped",
    }
    assert "its label 'bird' has no picture to train on" in dataset.findings[1].message
    declared = frozen(source="in", labels=["bird", "cat", "dog"])
    assert declared.counts["test"] == 8
    assert kinds(declared) == {("empty_class", "bird"): "kept"}


def test_labels_that_were_not_declared_are_left_out_with_the_nearest_name(
    tmp_path: Path, fill: Fill, frozen: Frozen
) -> None:
    fill(tmp_path / "in", {"cat": 10, "dog": 10, "dgo": 2})
    dataset = frozen(source="in", labels=["cat", "dog"])
    assert kinds(dataset) == {("unknown_label", f"dgo/00{place}.png"): "skipped" for place in (0, 1)}
    assert "did you mean 'dog'?" in dataset.findings[0].message


def test_groups_never_span_splits_and_official_splits_give_way(
    tmp_path: Path, picture: Picture, frozen: Frozen
) -> None:
    for seed in range(90):
        folder = tmp_path / "in" / ("cat", "dog")[seed % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"patient{seed // 6}_{seed}.png").write_bytes(picture(seed))
    dataset = frozen(source="in", group=r"patient(\d+)_")
    where = {split: {row.group for row in dataset.rows(split)} for split in SPLITS}
    assert all(where.values())
    assert not where["train"] & where["val"]
    assert not where["train"] & where["test"]
    assert not where["val"] & where["test"]
    assert len(where["train"] | where["val"] | where["test"]) == 15


def test_a_group_in_two_stated_splits_stays_in_test(
    tmp_path: Path, fill: Fill, picture: Picture, frozen: Frozen
) -> None:
    for start, split in enumerate(("train", "val", "test")):
        fill(tmp_path / "in" / split, {"cat": 3, "dog": 3}, start * 100)
        (tmp_path / "in" / split / "cat" / f"p7_{split}.png").write_bytes(picture(900 + start))
    dataset = frozen(source="in", group=r"(p\d+)_")
    assert kinds(dataset) == {
        ("split_overlap", "train/cat/p7_train.png"): "skipped",
        ("split_overlap", "val/cat/p7_val.png"): "skipped",
    }


def test_missing_splits_are_cut_from_train(tmp_path: Path, fill: Fill, frozen: Frozen) -> None:
    fill(tmp_path / "in/train", {"cat": 40, "dog": 40})
    fill(tmp_path / "in/test", {"cat": 5, "dog": 5}, 500)
    dataset = frozen(source="in", val_fraction=0.1)
    assert dataset.counts == {"train": 72, "val": 8, "test": 10}
    assert {row.name.split("/")[0] for row in dataset.rows("val")} == {"train"}
    assert dataset.facts["splits"] == "val (10%) cut from train by class, seed 0"


def test_separate_paths_are_one_dataset(tmp_path: Path, fill: Fill, picture: Picture, frozen: Frozen) -> None:
    fill(tmp_path / "a", {"cat": 20, "dog": 20})
    fill(tmp_path / "b", {"cat": 5, "dog": 5}, 100)
    (tmp_path / "b" / "list.txt").write_text("cat cat/000.png\ndog dog/001.png\ndog dog/002.png\n")
    dataset = frozen(train="a", test="b/list.txt")
    assert dataset.counts == {"train": 34, "val": 6, "test": 3}
    assert {row.name for row in dataset.rows("test")} == {
        f"test/{n}" for n in ("cat/000.png", "dog/001.png", "dog/002.png")
    }
    fill(tmp_path / "c/train", {"cat": 5, "dog": 5}, 200)
    fill(tmp_path / "c/test", {"cat": 5, "dog": 5}, 300)
    with pytest.raises(UnreadableSource, match="splits of its own"):
        frozen(train="c", test="b")


@pytest.mark.parametrize(
    ("labels", "words"),
    [({"cat": 10}, "training rows of 1 of the labels cat"), ({"cat": 1, "dog": 1}, "found 2 train, 0 val, 0 test")],
)
def test_too_little_data_says_what_is_there(
    tmp_path: Path, fill: Fill, frozen: Frozen, labels: dict[str, int], words: str
) -> None:
    fill(tmp_path / "in", labels)
    with pytest.raises(TooLittleData, match=words):
        frozen(source="in")


def test_a_source_that_is_not_there_names_the_nearest_neighbour(tmp_path: Path, fill: Fill, frozen: Frozen) -> None:
    fill(tmp_path / "pictures", {"cat": 1})
    with pytest.raises(SourceNotFound, match="did you mean 'pictures'"):
        frozen(source="pictrues")
    (tmp_path / "odd.bin").write_bytes(b"x")
    with pytest.raises(UnreadableSource, match="no reader knows"):
        frozen(source="odd.bin")


def test_positive_must_be_one_of_two_labels_found(tmp_path: Path, fill: Fill, frozen: Frozen) -> None:
    fill(tmp_path / "in", {"cat": 10, "dog": 10})
    assert frozen(source="in", positive="dog").positive == "dog"
    with pytest.raises(UnreadableSource, match="did you mean 'dog'"):
        frozen(source="in", positive="dgo")


def test_a_file_that_changes_meanwhile_stops_the_freezing(
    tmp_path: Path, fill: Fill, picture: Picture, monkeypatch: pytest.MonkeyPatch, frozen: Frozen
) -> None:
    fill(tmp_path / "in", {"cat": 10, "dog": 10})

    def look_then_change(*arguments: object) -> object:
        result = look_at_all(*arguments)  # type: ignore[arg-type]  # passed through as they come
        (tmp_path / "in/dog/005.png").write_bytes(picture(999))
        return result

    monkeypatch.setattr("modelmint.data.freeze.look_at_all", look_then_change)
    with pytest.raises(SourceChanged, match=r"dog/005.png changed"):
        frozen(source="in")
    assert not any((tmp_path / "frozen").iterdir())


def test_freezing_into_a_folder_that_the_caller_made_fills_it(tmp_path: Path) -> None:
    into = tmp_path / "made"
    into.mkdir()
    (into / "log.txt").write_text("kept")
    dataset = freeze(DataSection(source="sklearn:digits"), tmp_path, into, Silent())
    assert dataset.folder == into
    assert {path.name for path in into.iterdir()} == {
        "log.txt",
        "dataset.json",
        "rows.jsonl",
        "payloads.bin",
        "findings.jsonl",
        "shift.json",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_the_source_digest_follows_content_and_names_not_times(tmp_path: Path, fill: Fill, picture: Picture) -> None:
    fill(tmp_path / "in", {"cat": 3, "dog": 3})
    section = DataSection(source="in")
    cache = tmp_path / "cache.json"
    before = source_digest(section, tmp_path, cache)
    old = tmp_path / "in/cat/000.png"
    os.utime(old, (1, 1))
    assert source_digest(section, tmp_path, cache) == before == source_digest(section, tmp_path, None)
    (tmp_path / "in/cat/new.png").write_bytes(picture(99))
    added = source_digest(section, tmp_path, cache)
    assert added != before
    old.write_bytes(picture(98))
    assert source_digest(section, tmp_path, cache) not in (before, added)
    cache.write_text("{ damaged")
    assert source_digest(section, tmp_path, cache) == source_digest(section, tmp_path, None)


def test_an_unchanged_file_is_not_read_again(tmp_path: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "in", {"cat": 3, "dog": 3})
    section = DataSection(source="in")
    cache = tmp_path / "cache.json"
    later = 10**10
    monkeypatch.setattr("time.time_ns", lambda: later * 10**9)  # the files have long been settled
    before = source_digest(section, tmp_path, cache)
    read: list[Path] = []
    monkeypatch.setattr("modelmint.data.stamps.digest_file", lambda path: read.append(path) or "changed")
    assert source_digest(section, tmp_path, cache) == before
    assert read == []
    os.utime(tmp_path / "in/cat/000.png", (5, 5))
    assert source_digest(section, tmp_path, cache) != before
    assert read == [tmp_path / "in/cat/000.png"]


def test_pneumonia_mnist_keeps_its_official_splits_less_its_leaks(shared_data: Path, frozen: Frozen) -> None:
    path = shared_data / "pneumoniamnist" / "pneumoniamnist.npz"
    if not path.exists():
        pytest.skip(f"needs {path}")
    assert hashlib.md5(path.read_bytes()).hexdigest() == "28209eda62fecd6e6a2d98b1501bb15f"
    dataset = frozen(source=str(path), positive="pneumonia")
    assert dataset.labels == ("normal", "pneumonia")
    found = Counter((finding.kind, finding.action) for finding in dataset.findings)
    assert found == {
        ("exact_duplicate", "kept"): 3,
        ("exact_duplicate", "skipped"): 16,
        ("split_overlap", "skipped"): 10,
        # Told, not dropped: three pairs that look like one patient each, and a test split unlike the training split.
        ("near_duplicate", "kept"): 3,
        ("split_shift", "kept"): 3,
    }
    assert dataset.counts == {"train": 4708 - 26, "val": 524, "test": 624}
    assert Counter(row.label for row in dataset.rows("test")) == {0: 234, 1: 390}
    assert (dataset.channels, dataset.sizes) == (1, (28, 28))
    assert dataset.facts["family"] == "MedMNIST v2 pneumoniamnist"
    with np.load(path) as arrays:
        row = dataset.rows("val")[7]
        place = int(row.name.split("[")[1][:-1])
        pixels = np.asarray(open_picture(dataset.payloads("val")[7], 784))
        assert np.array_equal(pixels, arrays["val_images"][place])


def test_what_is_written_can_be_read_by_anything_that_reads_json(frozen: Frozen) -> None:
    dataset = frozen(source="sklearn:digits")
    about = json.loads((dataset.folder / "dataset.json").read_text())
    assert about["counts"] == dataset.counts
    lines = (dataset.folder / "rows.jsonl").read_text().splitlines()
    assert len(lines) == 1797
    assert set(json.loads(lines[0])) == {"name", "split", "label", "group", "digest", "offset", "length"}
