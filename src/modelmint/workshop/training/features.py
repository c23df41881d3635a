"""Method ``head``: the frozen body's features, computed once and kept, then a head trained on them alone."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import nn

from modelmint.kit.files import write_atomic
from modelmint.kit.progress import Progress
from modelmint.workshop.training.inputs import Data, Rows
from modelmint.workshop.training.layout import arrange
from modelmint.workshop.training.types import Layout
from modelmint.workshop.training.validate import outputs

_BLOCK = 128


def features_of(
    body: nn.Module, data: Data, layout: Layout, device: torch.device, cached: Path, progress: Progress
) -> Data:
    """Pooled features ``[n, width]`` for both splits, the body in eval mode; read from ``cached`` where it is there.

    The file's name carries the digest of all that the features depend on, so one that exists is right.
    """
    if not cached.is_file():
        arrange(body.eval(), layout)
        found = {}
        with progress.bar("features", len(data.train) + len(data.val)) as bar:
            for name, rows in (("train", data.train), ("val", data.val)):
                parts = []
                for start in range(0, len(rows), _BLOCK):
                    parts.append(outputs(body, rows.inputs[start : start + _BLOCK], layout, device))
                    bar.advance(len(parts[-1]))
                found[name] = torch.cat(parts)
        write_atomic(cached, save(found))
    features = load_file(cached)
    return Data(Rows(features["train"], data.train.targets), Rows(features["val"], data.val.targets))


def standardised(data: Data) -> tuple[Data, torch.Tensor, torch.Tensor]:
    """Features with mean 0 and spread 1 over the training rows; also that mean and spread, each ``[width]``."""
    mean = data.train.inputs.mean(dim=0)
    # a feature that never moves would be blown up by its tiny spread
    spread = data.train.inputs.std(dim=0, correction=0).clamp_min(1e-3)
    train, val = ((rows.inputs - mean) / spread for rows in (data.train, data.val))
    return Data(Rows(train, data.train.targets), Rows(val, data.val.targets)), mean, spread
