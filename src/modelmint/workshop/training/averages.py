"""Exponential moving average of weights (Polyak and Juditsky 1992; the warm-up is TensorFlow's)."""

from __future__ import annotations

import copy

import torch
from torch import nn


class MovingAverage:
    """Keeps a copy of a network whose floating tensors follow the trained ones slowly."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._pairs = [
            (mine, theirs)
            for mine, theirs in zip(
                self.network.state_dict(keep_vars=True).values(),
                network.state_dict(keep_vars=True).values(),
                strict=True,
            )
        ]

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Move towards the trained weights after ``step`` (from 0); early steps move faster."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for mine, theirs in self._pairs:
            if mine.is_floating_point():
                mine.lerp_(theirs.detach(), 1 - decay)
            else:
                mine.copy_(theirs)
