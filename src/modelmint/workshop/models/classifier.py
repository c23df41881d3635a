"""Body + head: the network that every image-classification run trains."""

from __future__ import annotations

import torch
from torch import nn

#: Spread of a fresh output layer: small, so that training starts from near-uniform answers and the
#: first gradients do not tear at a pretrained body.
_OUTPUT_STD = 0.01


class Head(nn.Module):
    """Dropout, an optional hidden layer with ReLU and dropout, a linear layer to the logits."""

    def __init__(self, width: int, labels: int, hidden: int = 0, dropout: float = 0.2) -> None:
        super().__init__()
        self.width, self.labels, self.hidden, self.dropout = width, labels, hidden, dropout
        layers: list[nn.Module] = [nn.Dropout(dropout)]
        if hidden:
            layers += [nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout)]
        output = nn.Linear(hidden or width, labels)
        nn.init.normal_(output.weight, std=_OUTPUT_STD)
        nn.init.zeros_(output.bias)
        self.layers = nn.Sequential(*layers, output)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """``[n, width]`` to logits ``[n, labels]``."""
        logits: torch.Tensor = self.layers(features)
        return logits

    @torch.no_grad()
    def absorb(self, mean: torch.Tensor, std: torch.Tensor) -> None:
        """Fold ``(features - mean) / std`` into the first linear layer.

        A head that was trained on standardised features then takes the raw ones and answers the same.
        """
        first = next(layer for layer in self.layers if isinstance(layer, nn.Linear))
        first.weight.div_(std)
        first.bias.sub_(first.weight @ mean)


class Classifier(nn.Module):
    """``pixels [n, c, s, s]`` to logits ``[n, labels]``."""

    def __init__(self, body: nn.Module, head: Head) -> None:
        super().__init__()
        self.body = body
        self.head = head

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pooled features ``[n, width]``."""
        pooled: torch.Tensor = self.body(pixels)
        return pooled

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits ``[n, labels]``."""
        logits: torch.Tensor = self.head(self.features(pixels))
        return logits
