"""``cnn``: a small convolutional network trained from scratch, for small pictures and few of them.

VGG's plan (Simonyan and Zisserman 2015: stages of 3x3 convolutions, halved by max pooling) with batch
normalisation (Ioffe and Szegedy 2015) and a global mean instead of dense layers (Lin et al. 2014).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from modelmint.tasks.types import ImageSettings
from modelmint.workshop.models.backbone import Backbone, BaseRequest

#: Side of the last feature map that the number of stages aims at.
_LAST_MAP = 7
_WIDEST = 128
_LARGE = 48


class CnnBody(nn.Module):
    """Stages of convolutions; ``widths[i]`` channels in stage ``i``, each stage half the side of the former."""

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = channels
        for stage, width in enumerate(widths):
            if stage:
                layers.append(nn.MaxPool2d(2))
            layers += _convolution(before, width)
            if stage:
                layers += _convolution(width, width)
            before = width
        self.layers = nn.Sequential(*layers)
        self.width = before

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """``[n, c, s, s]`` to ``[n, width]``."""
        return torch.mean(self.layers(pixels), dim=(2, 3))


def _convolution(before: int, width: int) -> list[nn.Module]:
    return [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]


def widths_for(image_size: int) -> list[int]:
    """Channels per stage: enough stages that the last map is about 7 pixels wide; width doubles up to 128.

    Large pictures start narrower: the first stage works on every pixel and costs most.
    """
    stages = max(2, 1 + round(math.log2(image_size / _LAST_MAP)))
    first = 32 if image_size <= _LARGE else 16
    return [min(_WIDEST, first << stage) for stage in range(stages)]


def cnn(request: BaseRequest) -> Backbone:
    """The catalogue's ``cnn`` for one venture."""
    size = request.image_size or request.default_size
    half = (0.5,) * request.channels
    architecture = {"kind": "cnn", "channels": request.channels, "widths": widths_for(size)}
    return Backbone(
        name="cnn",
        pretrained=False,
        licence="Apache-2.0",
        source={"origin": "from scratch"},
        settings=ImageSettings(image_size=size, channels=request.channels, mean=half, std=half),
        architecture=architecture,
        load=lambda: blank_cnn(architecture),
    )


def blank_cnn(architecture: Mapping[str, Any]) -> nn.Module:
    """A fresh body of a recorded architecture."""
    return CnnBody(int(architecture["channels"]), [int(width) for width in architecture["widths"]])
