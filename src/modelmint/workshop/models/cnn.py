"""``cnn``: a small convolutional network trained from scratch, for small pictures and few of them.

Stages of 3x3 convolutions, halved by a stride instead of pooling (Springenberg et al. 2015), with batch
normalisation (Ioffe and Szegedy 2015) and a global mean instead of dense layers (Lin et al. 2014). The
stride is not a matter of taste: a pooling layer breaks the chain of integer layers of a quantised network,
which then gains nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from modelmint.tasks.types import ImageSettings
from modelmint.workshop.models.backbone import Backbone, BaseRequest

#: The last feature map is at most this wide.
_LAST_MAP = 8
#: Above this side the first convolution halves too: every pixel at full width would cost most of the time.
_LARGE = 40
_FIRST, _WIDEST, _FEWEST_STAGES = 32, 128, 3


class CnnBody(nn.Module):
    """``widths[i]`` channels in stage ``i``, each stage half the side of the former; the first by ``stride``."""

    def __init__(self, channels: int, widths: Sequence[int], stride: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = channels
        for stage, width in enumerate(widths):
            layers += _convolution(before, width, 2 if stage else stride)
            if stage:
                layers += _convolution(width, width, 1)
            before = width
        self.layers = nn.Sequential(*layers)
        self.width = before

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """``[n, c, s, s]`` to ``[n, width]``."""
        return torch.mean(self.layers(pixels), dim=(2, 3))


def _convolution(before: int, width: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, width, 3, stride, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return [convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]


def shape_for(image_size: int) -> tuple[list[int], int]:
    """Channels per stage and the stride of the first convolution for pictures of this side."""
    stride = 2 if image_size > _LARGE else 1
    stages = max(_FEWEST_STAGES, 1 + math.ceil(math.log2(image_size / stride / _LAST_MAP)))
    return [min(_WIDEST, _FIRST << stage) for stage in range(stages)], stride


def cnn(request: BaseRequest) -> Backbone:
    """The catalogue's ``cnn`` for one venture."""
    size = request.image_size or request.default_size
    half = (0.5,) * request.channels
    widths, stride = shape_for(size)
    architecture = {"kind": "cnn", "channels": request.channels, "widths": widths, "stride": stride}
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
    widths = [int(width) for width in architecture["widths"]]
    return CnnBody(int(architecture["channels"]), widths, int(architecture["stride"]))
