"""Cross entropy with label smoothing and class weights; the plain one judges validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional

from modelmint.kit.arrays import IntArray
from modelmint.workshop.training.types import Plan

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def balanced_weights(targets: IntArray, labels: int) -> tuple[float, ...]:
    """``n / (labels * count)`` per label; a label without rows weighs 0."""
    counts = [int((targets == label).sum()) for label in range(labels)]
    return tuple(len(targets) / (labels * count) if count else 0.0 for count in counts)


def make_loss(plan: Plan, device: torch.device) -> Loss:
    """The training loss of a plan: mean over the batch, in nats."""
    weights = _tensor(plan.class_weights, device)

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(logits.float(), targets, weight=weights, label_smoothing=plan.label_smoothing)

    return loss


def _tensor(weights: Sequence[float] | None, device: torch.device) -> torch.Tensor | None:
    return None if weights is None else torch.tensor(weights, dtype=torch.float32, device=device)
