"""Suspected wrong labels: rows whose label a model does not believe that learned from the other rows.

Out-of-fold probabilities of a multinomial logistic regression, ranked and flagged by confident learning (Northcutt,
Jiang & Chuang 2021, *Confident learning: estimating uncertainty in dataset labels*) as ``cleanlab`` implements it. The
features are cheap: the pixels of small thumbnails and, where the venture's base is pretrained, what it sees; those that
predict the labels better are taken. Training and validation rows only; test rows are the judge's, and their labels are
nobody's to tidy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from modelmint.data.perceptual import pixels_of, thumbnail
from modelmint.data.pictures import open_picture
from modelmint.data.reviews import Suspect, Suspects
from modelmint.data.types import Row
from modelmint.data.version import DatasetVersion
from modelmint.kit.arrays import AnyArray, Float64Array, IntArray
from modelmint.kit.canonical import plain
from modelmint.kit.progress import Progress
from modelmint.tasks.registry import TASKS
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop.errors import BaseUnavailable, TooFewPictures, UnknownBase, UnusableBase
from modelmint.workshop.models.identity import FROM_SCRATCH

_FOLDS = 5
#: Principal components of the features, and the inverse penalty of the regression on them.
_COMPONENTS, _PENALTY = 256, 0.01
#: Rows that a ranking holds: the flagged ones, and at least this share of all, or this many.
_SHARE, _LEAST = 0.1, 100
_SPLITS = ("train", "val")


def find_suspects(
    dataset: DatasetVersion, section: ModelSection, root: Path, max_pixels: int, progress: Progress, seed: int = 0
) -> Suspects:
    """Rank the training and validation rows of ``dataset``; the same data and ``seed`` give the same ranking.

    ``section`` names the base whose features are taken, ``root`` the venture's folder. Raises ``TooFewPictures``.
    """
    return rank(dataset, looks(dataset, section, root, max_pixels, progress), progress, seed)


def looks(
    dataset: DatasetVersion, section: ModelSection, root: Path, max_pixels: int, progress: Progress
) -> dict[str, AnyArray]:
    """Features ``[rows, width]`` of the training and validation rows by their name; labels have no part in them."""
    return {"pixels": _of_pixels(dataset, max_pixels), **_of_backbone(dataset, section, root, max_pixels, progress)}


def rank(dataset: DatasetVersion, described: Mapping[str, AnyArray], progress: Progress, seed: int = 0) -> Suspects:
    """The ranking by whichever features of ``looks`` agree with the labels most often."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    rows = [row for split in _SPLITS for row in dataset.rows(split)]  # type: ignore[arg-type] # two of the three
    labels = np.concatenate([dataset.targets("train"), dataset.targets("val")])
    present, known = np.unique(labels, return_inverse=True)
    folds = _folds(known)
    tried = {name: out_of_fold(look, known, _groups(rows), folds, progress, seed) for name, look in described.items()}
    agrees = {name: float((found.argmax(axis=1) == known).mean()) for name, found in tried.items()}
    told = max(agrees, key=agrees.__getitem__)
    probabilities = tried[told]
    scores = get_label_quality_scores(known, probabilities, method="self_confidence")
    flags = find_label_issues(known, probabilities, n_jobs=1)
    order = np.lexsort((scores, ~flags))
    shown = max(int(flags.sum()), round(_SHARE * len(rows)), min(_LEAST, len(rows)))
    found = tuple(
        Suspect(
            name=rows[place].name,
            split=rows[place].split,
            label=dataset.labels[labels[place]],
            suggested=dataset.labels[present[likeliest]],
            probability=round(float(probabilities[place, likeliest]), 4),
            score=round(float(scores[place]), 4),
            flagged=bool(flags[place]),
        )
        for place in order[:shown].tolist()
        for likeliest in [_likeliest_other(probabilities[place], int(known[place]))]
    )
    shares = ", ".join(f"{name} {share:.3f}" for name, share in agrees.items())
    method = f"logistic regression on {told} (agrees with the labels: {shares}), confident learning (cleanlab)"
    return Suspects(dataset.digest, method, folds, len(rows), int(flags.sum()), found)


def _likeliest_other(probabilities: Float64Array, own: int) -> int:
    """The likeliest label that is not the row's own."""
    others = probabilities.copy()
    others[own] = -1
    return int(others.argmax())


def _folds(labels: IntArray) -> int:
    least = int(np.bincount(labels).min())
    if len(np.unique(labels)) < 2 or least < 2:
        raise TooFewPictures(
            "expected at least two labels, each with two training or validation pictures, so that each is learned from "
            f"others; found one with {least}"
        )
    return min(_FOLDS, least)


def _groups(rows: list[Row]) -> IntArray | None:
    """A number for each group of rows that must not be parted; None where no row has one."""
    if all(row.group is None for row in rows):
        return None
    names = {name: number for number, name in enumerate(sorted({row.group for row in rows if row.group is not None}))}
    return np.array(
        [len(names) + place if row.group is None else names[row.group] for place, row in enumerate(rows)],
        dtype=np.int64,
    )


def out_of_fold(
    features: AnyArray, labels: IntArray, groups: IntArray | None, folds: int, progress: Progress, seed: int
) -> Float64Array:
    """``[rows, labels]``: what a regression says of each row that learned from the other folds; groups stay whole."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    cut = kind(folds, shuffle=True, random_state=seed)
    inputs = _components(features)
    found = np.full((len(labels), int(labels.max()) + 1), 1e-6)
    with progress.bar("suspected labels", folds) as bar:
        for learned, held in cut.split(inputs, labels, groups):
            model = LogisticRegression(C=_PENALTY, max_iter=500).fit(inputs[learned], labels[learned])
            found[np.ix_(held, model.classes_)] = model.predict_proba(inputs[held])
            bar.advance()
    probabilities: Float64Array = found / found.sum(axis=1, keepdims=True)
    return probabilities


def _components(features: AnyArray) -> Float64Array:
    """The principal components of standardised features, at most ``_COMPONENTS``: labels have no part in them."""
    values = features.astype(np.float64)
    spread = values.std(axis=0)
    values = (values - values.mean(axis=0)) / np.where(spread > 1e-9, spread, 1)
    _, directions = np.linalg.eigh(values.T @ values)  # ascending
    components: Float64Array = values @ directions[:, ::-1][:, :_COMPONENTS]
    return components


def _of_pixels(dataset: DatasetVersion, max_pixels: int) -> AnyArray:
    thumbnails = [
        thumbnail(open_picture(payload, max_pixels))
        for split in _SPLITS
        for payload in dataset.payloads(split)  # type: ignore[arg-type] # two of the three
    ]
    return pixels_of(thumbnails).reshape(len(thumbnails), -1).astype(np.float32)


def _of_backbone(
    dataset: DatasetVersion, section: ModelSection, root: Path, max_pixels: int, progress: Progress
) -> dict[str, AnyArray]:
    """The pretrained base's features by its name; {} where it has none to give."""
    if section.base in FROM_SCRATCH or section.own:  # torch takes seconds to import, here for nothing
        return {}
    from modelmint.workshop.models.backbone import BaseRequest
    from modelmint.workshop.models.registry import resolve_base
    from modelmint.workshop.training.environment import default_threads, device, reproducible
    from modelmint.workshop.training.features import features_of
    from modelmint.workshop.training.inputs import Data, encode_rows
    from modelmint.workshop.training.types import Layout

    stated = section.image_size if "image_size" in section.model_fields_set else None
    request = BaseRequest(section.base, root, stated, section.image_size, dataset.channels, section.revision)
    try:
        backbone = resolve_base(request)
    except (UnknownBase, UnusableBase, BaseUnavailable) as error:
        progress.note(f"pixels only: {error.message}")
        return {}
    if not backbone.pretrained:
        return {}
    task = TASKS.get(section.task)
    settings = plain(task.default_settings(**asdict(backbone.settings) | {"max_pixels": max_pixels}))
    with TemporaryDirectory() as scratch, reproducible(default_threads()):
        train, val = (
            encode_rows(
                task.name, settings, dataset.payloads(split), dataset.targets(split),
                Path(scratch) / f"{split}.f32", progress, f"encode {split}",
            )
            for split in ("train", "val")
        )  # fmt: skip
        body = backbone.load().to(device())
        cached = Path(scratch) / "features.safetensors"
        found = features_of(body, Data(train, val), Layout("float32", True), device(), cached, progress)
    return {f"features of {backbone.name}": np.vstack([part.inputs.numpy() for part in (found.train, found.val)])}
