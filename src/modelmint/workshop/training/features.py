"""Method ``head``: the frozen body's features, computed once and kept, then a head trained on them alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import nn

from modelmint.kit.files import write_atomic
from modelmint.kit.progress import Bar, Progress
from modelmint.workshop.training.augment import Augmenter
from modelmint.workshop.training.inputs import Data, Rows
from modelmint.workshop.training.layout import arrange
from modelmint.workshop.training.seeds import generator_for
from modelmint.workshop.training.types import Layout
from modelmint.workshop.training.validate import outputs

_BLOCK = 128


@dataclass(frozen=True, slots=True)
class Copies:
    """Augmented copies of the training rows that are learned from beside the plain ones."""

    count: int
    augmenter: Augmenter
    seed: int


def features_of(
    body: nn.Module,
    data: Data,
    layout: Layout,
    device: torch.device,
    cached: Path,
    progress: Progress,
    copies: Copies | None = None,
) -> Data:
    """Pooled features ``[n, width]`` for both splits, the body in eval mode; read from ``cached`` where it is there.

    With ``copies`` the training split is ``1 + count`` times as long. The file's name carries the digest of
    all that the features depend on, so one that exists is right.
    """
    count = copies.count if copies else 0
    if not cached.is_file():
        arrange(body.eval(), layout)
        train = []
        with progress.bar("features", (1 + count) * len(data.train) + len(data.val)) as bar:
            for copy in range(1 + count):
                changed = partial(_changed, copies, copy) if copies and copy else None
                train.append(_pooled(body, data.train, layout, device, bar, changed))
            val = _pooled(body, data.val, layout, device, bar, None)
        write_atomic(cached, save({"train": torch.cat(train), "val": val}))
    features = load_file(cached)
    return Data(Rows(features["train"], data.train.targets.repeat(1 + count)), Rows(features["val"], data.val.targets))


def _changed(copies: Copies, copy: int, start: int, pixels: torch.Tensor) -> torch.Tensor:
    return copies.augmenter(pixels, generator_for(copies.seed, "copy", copy, start))


def _pooled(
    body: nn.Module,
    rows: Rows,
    layout: Layout,
    device: torch.device,
    bar: Bar,
    changed: Callable[[int, torch.Tensor], torch.Tensor] | None,
) -> torch.Tensor:
    parts = []
    for start in range(0, len(rows), _BLOCK):
        pixels = rows.inputs[start : start + _BLOCK]
        parts.append(outputs(body, changed(start, pixels) if changed else pixels, layout, device))
        bar.advance(len(pixels))
    return torch.cat(parts)


def standardised(data: Data) -> tuple[Data, torch.Tensor, torch.Tensor]:
    """Features with mean 0 and spread 1 over the training rows; also that mean and spread, each ``[width]``."""
    mean = data.train.inputs.mean(dim=0)
    # a feature that never moves would be blown up by its tiny spread
    spread = data.train.inputs.std(dim=0, correction=0).clamp_min(1e-3)
    train, val = ((rows.inputs - mean) / spread for rows in (data.train, data.val))
    return Data(Rows(train, data.train.targets), Rows(val, data.val.targets)), mean, spread
