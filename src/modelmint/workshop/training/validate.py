"""Loss and accuracy on validation rows."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from modelmint.workshop.training.inputs import Rows
from modelmint.workshop.training.layout import arrange_batch, cast
from modelmint.workshop.training.types import Layout

_BATCH = 128


@torch.no_grad()
def outputs(network: nn.Module, inputs: torch.Tensor, layout: Layout, device: torch.device) -> torch.Tensor:
    """What ``network`` in eval mode answers to every row, float32, in order; leaves its mode as it was."""
    training = network.training
    network.eval()
    parts = []
    for start in range(0, len(inputs), _BATCH):
        batch = arrange_batch(inputs[start : start + _BATCH].to(device), layout)
        with cast(layout, device):
            parts.append(network(batch).float().cpu())
    network.train(training)
    return torch.cat(parts)


def validate(network: nn.Module, rows: Rows, layout: Layout, device: torch.device) -> tuple[float, float]:
    """Mean cross entropy (nats, no smoothing, no weights) and accuracy."""
    logits = outputs(network, rows.inputs, layout, device)
    loss = functional.cross_entropy(logits.double(), rows.targets)
    accuracy = (logits.argmax(dim=1) == rows.targets).double().mean()
    return float(loss), float(accuracy)
