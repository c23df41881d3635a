"""Batch normalisation while training."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def train_mode(network: nn.Module, *, freeze_norm: bool) -> None:
    """Put ``network`` in training mode; with ``freeze_norm`` its batch norms keep the statistics they have.

    Small batches give poor statistics; a pretrained body's own are then the better ones.
    """
    network.train()
    if freeze_norm:
        for module in network.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
