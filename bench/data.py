"""Data quality on PneumoniaMNIST: planted near duplicates and planted wrong labels, found by the real ``prepare``.

Copies are resized, encoded anew as JPEG or cropped by 5 % (and all three at once), put into the training split beside
originals of every split. A finding that is no planted pair counts as false, though a few pictures may well be
of one patient: what is found without planting is printed beside it. The bounds were set on the pictures of this
set under other seeds; there is no label in them.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench import many
from bench.harness import Bench, table
from bench.pneumonia import data_file
from modelmint.data.corrections import Correction, corrections_csv
from modelmint.data.freeze import freeze
from modelmint.data.version import DatasetVersion
from modelmint.evaluation.intervals import wilson
from modelmint.kit.progress import Silent
from modelmint.venture.sections.data import DataSection
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop.suspects import looks, rank

LABELS = ["normal", "pneumonia"]
HOW = ("resized", "jpeg", "cropped", "all three")
WANTED_NEAR, WANTED_LABELS, FLIPPED = 0.9, 0.5, 0.05
#: seed, copies
PLANTINGS = ((11, 100), (12, 400), (13, 400))


def changed(picture: Image.Image, how: str, rng: np.random.Generator) -> Image.Image:
    """A copy: resized to 0.5 to 2 of its sides, through JPEG of quality 50 to 95, or 5 % of each side cut off."""
    width, height = picture.size
    if how == "resized":
        by = float(rng.choice([0.5, 0.75, 0.9, 1.25, 1.5, 2.0]))
        return picture.resize((round(width * by), round(height * by)), Image.Resampling.BICUBIC)
    if how == "jpeg":
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(rng.integers(50, 96)))
        return Image.open(buffer)
    if how == "cropped":
        off = max(1, round(0.05 * width)), max(1, round(0.05 * height))
        left, top = int(rng.integers(0, off[0] + 1)), int(rng.integers(0, off[1] + 1))
        return picture.crop((left, top, left + width - off[0], top + height - off[1]))
    return changed(changed(changed(picture, "cropped", rng), "resized", rng), "jpeg", rng)


def near(file: Path, seed: int, copies: int, folder: Path) -> Mapping[str, Any]:
    """Plant, freeze, count; seconds with and without the search."""
    rng = np.random.default_rng(seed)
    names, pictures = _written(file, folder)
    planted: dict[tuple[str, str], str] = {}
    for number, place in enumerate(rng.choice(len(names), copies, replace=False).tolist()):
        how = HOW[number % len(HOW)]
        label = names[place].split("/")[1]
        copy = folder / "train" / label / f"copy{number:04}.png"
        changed(Image.fromarray(pictures[place]), how, rng).save(copy)
        planted[_pair(names[place], f"train/{label}/{copy.name}")] = how
    seconds = {}
    for mode in ("off", "report"):
        began, cpu = time.monotonic(), time.process_time()
        section = DataSection(train="train", val="val", test="test", labels=LABELS, near_duplicates=mode)
        dataset = freeze(section, folder, folder / f"frozen-{mode}", Silent())
        seconds[mode] = [round(time.monotonic() - began, 2), round(time.process_time() - cpu, 2)]
    found = {_pair(one.name, one.other or "") for one in dataset.findings if one.kind == "near_duplicate"}
    kept = {row.name for split in ("train", "val", "test") for row in dataset.rows(split)}
    alive = {pair: how for pair, how in planted.items() if set(pair) <= kept}  # an exact copy is another finding
    recall = {
        how: [sum(pair in found for pair, one in alive.items() if one == how), list(alive.values()).count(how)]
        for how in HOW
    }
    return {
        "planted": len(alive),
        "found": len(found),
        "right": len(found & set(alive)),
        "recall": recall,
        "seconds": seconds,
    }


def described(file: Path, folder: Path) -> Mapping[str, Any]:
    """Freeze, and keep the features that labels are judged by: no label has a part in them, so once will do."""
    dataset = _frozen(file, folder / "plain", None)
    began, cpu = time.monotonic(), time.process_time()
    section = ModelSection(base="efficientnet-lite0", image_size=96)
    np.savez(folder / "looks.npz", **looks(dataset, section, folder, 10_000, Silent()))
    return {"seconds": [round(time.monotonic() - began, 1), round(time.process_time() - cpu, 1)]}


def labels(file: Path, once: Path, seed: int, folder: Path) -> Mapping[str, Any]:
    """Flip 5 % of the training labels through a file of corrections, rank, and count among as many worst rows.

    ``once`` is the folder of ``described``. The ranking is the product's own, by the features of both kinds.
    """
    plain = DatasetVersion.open(once / "plain")
    rows = plain.rows("train")
    chosen = np.random.default_rng(seed).choice(len(rows), round(FLIPPED * len(rows)), replace=False)
    flipped = {rows[place].name: LABELS[1 - rows[place].label] for place in chosen.tolist()}
    folder.joinpath("flips.csv").write_text(
        corrections_csv([Correction(name, label) for name, label in flipped.items()])
    )
    dataset = _frozen(file, folder / "flipped", str(folder / "flips.csv"))
    known = {name: place for place, name in enumerate(_names(plain))}
    places = [known[name] for name in _names(dataset)]  # a flip makes copies contradict each other: those are left out
    began, cpu = time.monotonic(), time.process_time()
    with np.load(once / "looks.npz") as features:
        found = rank(dataset, {name: each[places] for name, each in features.items()}, Silent(), seed)
    spent = [round(time.monotonic() - began, 1), round(time.process_time() - cpu, 1)]
    worst = found.rows[: len(flipped)]
    flagged = [one for one in found.rows if one.flagged]
    return {
        "flipped": len(flipped),
        "right": sum(one.name in flipped for one in worst),
        "flagged": len(flagged),
        "flagged_right": sum(one.name in flipped for one in flagged),
        "method": found.method,
        "seconds": spent,
    }


def run(bench: Bench) -> None:
    """Measure and print; says so where the data is not here."""
    file = data_file()
    if file is None:
        print("\nData quality: left out; set MODELMINT_TEST_DATA to a folder with pneumoniamnist/pneumoniamnist.npz")
        return
    twins = [
        bench.measure("data", f"near-{seed}-{n}", partial(near, file, seed, n)) for seed, n in ((10, 0), *PLANTINGS)
    ]
    _print_near(twins)
    many.run(bench, file)
    features = bench.measure("data", "labels-features", partial(described, file))
    once = bench.out / "work" / "data" / "labels-features"
    wrong = [bench.measure("data", f"labels-{seed}", partial(labels, file, once, seed)) for seed in range(bench.seeds)]
    _print_labels(wrong, features)
    short = [
        one for one in twins if one["planted"] and one["right"] / max(one["planted"], one["found"], 1) < WANTED_NEAR
    ] + [one for one in wrong if one["right"] / one["flipped"] < WANTED_LABELS]
    if short:
        sys.exit("near duplicates or wrong labels are found less well than wanted")


def _print_near(found: list[dict[str, Any]]) -> None:
    columns = ("planted", *HOW, "recall", "precision", "other pairs", "seconds (CPU) more", "in all")
    rows = []
    for one in found:
        by = [f"{hits}/{n}" for hits, n in one["recall"].values()]
        more = [there - without for there, without in zip(one["seconds"]["report"], one["seconds"]["off"], strict=True)]
        whole = str(wilson(one["right"], one["planted"])) if one["planted"] else "-"
        precise = str(wilson(one["right"], one["found"])) if one["planted"] else "-"
        others = str(one["found"] - one["right"])
        spent = f"{more[0]:.1f} ({more[1]:.1f})"
        rows.append((str(one["planted"]), *by, whole, precise, others, spent, f"{one['seconds']['report'][0]:.1f}"))
    rows.append(("wanted", "", "", "", "", f">= {WANTED_NEAR}", f">= {WANTED_NEAR}", "", "", ""))
    table("Near duplicates planted in PneumoniaMNIST (5,856 pictures, 28 x 28)", columns, rows, found)


def _print_labels(found: list[dict[str, Any]], features: dict[str, Any]) -> None:
    columns = (
        "labels flipped",
        "precision at as many",
        "flagged",
        "precision of flagged",
        "recall of flagged",
        "ranking, seconds (CPU)",
    )
    rows = [
        (
            f"{one['flipped']}",
            str(wilson(one["right"], one["flipped"])),
            f"{one['flagged']}",
            str(wilson(one["flagged_right"], one["flagged"])),
            str(wilson(one["flagged_right"], one["flipped"])),
            f"{one['seconds'][0]} ({one['seconds'][1]})",
        )
        for one in found
    ]
    rows.append(("wanted", f">= {WANTED_LABELS}", "", "", "", ""))
    table("Wrong labels planted in PneumoniaMNIST, 5 % of train", columns, rows, found)
    print("\n".join(sorted({one["method"] for one in found})))
    print(f"their features, once for all seeds: {features['seconds'][0]} s ({features['seconds'][1]} of CPU)")


def _frozen(file: Path, into: Path, corrections: str | None) -> DatasetVersion:
    section = DataSection(source=str(file), labels=LABELS, corrections=corrections, near_duplicates="off")
    return freeze(section, into.parent, into, Silent())


def _names(dataset: DatasetVersion) -> list[str]:
    """Of the rows that ``looks`` describes, in its order."""
    return [row.name for row in (*dataset.rows("train"), *dataset.rows("val"))]


def _written(file: Path, folder: Path) -> tuple[list[str], list[Any]]:
    """The set as PNG files by split and label: their names and pixels."""
    names, pictures = [], []
    with np.load(file) as arrays:
        for split in ("train", "val", "test"):
            for number, (pixels, label) in enumerate(
                zip(arrays[f"{split}_images"], arrays[f"{split}_labels"], strict=True)
            ):
                name = f"{split}/{LABELS[int(label[0])]}/{number:05}.png"
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(folder / name)
                names.append(name)
                pictures.append(pixels)
    return names, pictures


def _pair(one: str, other: str) -> tuple[str, str]:
    return min(one, other), max(one, other)
