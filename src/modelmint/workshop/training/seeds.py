"""Random streams keyed by what they are for, so that a resumed run draws what an uninterrupted one draws."""

from __future__ import annotations

import torch

from modelmint.kit.digest import digest_value


def seed_for(*parts: int | str) -> int:
    """A 63-bit seed for the given key; different keys give unrelated streams."""
    return int(digest_value(list(parts))[:16], 16) >> 1


def generator_for(*parts: int | str) -> torch.Generator:
    """A CPU generator for the given key."""
    return torch.Generator().manual_seed(seed_for(*parts))


def epoch_order(seed: int, epoch: int, rows: int) -> torch.Tensor:
    """The order in which an epoch visits ``rows`` rows: int64 ``[rows]``."""
    return torch.randperm(rows, generator=generator_for(seed, "order", epoch))
