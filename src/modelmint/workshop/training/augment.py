"""Random changes of encoded batches, drawn from a keyed generator; one affine sampling for all geometry."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.nn import functional

from modelmint.tasks.types import ImageSettings

#: Strengths, mild on purpose: the same for every venture.
ROTATE_DEGREES = 10.0
SHIFT_SHARE = 0.06
SCALE_SHARE = 0.10
BRIGHTNESS = 0.10
CONTRAST = 0.20
ERASE_SHARE = 0.25
_GEOMETRY = frozenset({"shift", "rotate", "scale", "flip", "flip-vertical"})


class Augmenter:
    """Applies the named augmentations to encoded pictures ``[n, c, s, s]``.

    ``share`` of the pictures are moved (shift, rotate, scale) and ``share`` of them lit differently, each
    drawn on its own; the others stay as they are. A flip is made in half of the pictures. Brightness and
    contrast act in pixel space: a change by a share of full white, and a stretch around the picture's mean.
    """

    def __init__(self, names: Sequence[str], settings: ImageSettings, share: float = 1.0) -> None:
        self.names = frozenset(names)
        self.share = share
        self.mean = torch.tensor(settings.mean).view(1, -1, 1, 1)
        self.std = torch.tensor(settings.std).view(1, -1, 1, 1)

    def __call__(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """A changed copy; the same generator state gives the same copy."""
        if self.names & _GEOMETRY:
            pixels = self._move(pixels, generator)
        if self.names & {"brightness", "contrast"}:
            pixels = self._light(pixels, generator)
        if "erase" in self.names:
            pixels = _erase(pixels, generator)
        return pixels

    def _chosen(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """1 for the pictures that are changed, 0 for the others."""
        return (torch.rand(count, generator=generator) < self.share).float()

    def _amount(self, name: str, count: int, limit: float, generator: torch.Generator) -> torch.Tensor:
        """Uniform in ``[-limit, limit]``, zeros where ``name`` is off; always drawn, so streams stay aligned."""
        drawn = (torch.rand(count, generator=generator) * 2 - 1) * limit
        return drawn if name in self.names else torch.zeros(count)

    def _mirror(self, name: str, count: int, generator: torch.Generator) -> torch.Tensor:
        """-1 for the pictures that are flipped, 1 for the others."""
        drawn = (torch.rand(count, generator=generator) < 0.5).float()
        return 1 - 2 * drawn if name in self.names else torch.ones(count)

    def _move(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        count = len(pixels)
        chosen = self._chosen(count, generator)
        angle = self._amount("rotate", count, math.radians(ROTATE_DEGREES), generator) * chosen
        zoom = 1 / (1 + self._amount("scale", count, SCALE_SHARE, generator) * chosen)
        # the sampling grid spans [-1, 1], so a share of the side is twice that in grid units
        right = self._amount("shift", count, 2 * SHIFT_SHARE, generator) * chosen
        down = self._amount("shift", count, 2 * SHIFT_SHARE, generator) * chosen
        mirror, tumble = (self._mirror(name, count, generator) for name in ("flip", "flip-vertical"))
        cos, sin = angle.cos() * zoom, angle.sin() * zoom
        rows = [
            torch.stack([cos * mirror, -sin * tumble, right], 1),
            torch.stack([sin * mirror, cos * tumble, down], 1),
        ]
        grid = functional.affine_grid(torch.stack(rows, 1), list(pixels.shape), align_corners=False)
        return functional.grid_sample(pixels, grid.to(pixels.device), padding_mode="border", align_corners=False)

    def _light(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        count, where = len(pixels), pixels.device
        chosen = self._chosen(count, generator)
        stretch = (1 + self._amount("contrast", count, CONTRAST, generator) * chosen).view(-1, 1, 1, 1).to(where)
        add = (self._amount("brightness", count, BRIGHTNESS, generator) * chosen).view(-1, 1, 1, 1).to(where)
        mean, std = self.mean.to(where), self.std.to(where)
        middle = (pixels * std + mean).mean(dim=(1, 2, 3), keepdim=True)
        return pixels * stretch + ((middle - mean) * (1 - stretch) + add) / std


def _erase(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Random erasing (Zhong et al. 2020): in half of the pictures a rectangle becomes the mean picture's grey."""
    count, _, height, width = pixels.shape
    chosen = torch.rand(count, generator=generator) < 0.5
    sides = torch.rand(count, 2, generator=generator) * ERASE_SHARE
    corners = torch.rand(count, 2, generator=generator) * (1 - sides)
    down = torch.arange(height).view(1, -1) / height
    right = torch.arange(width).view(1, -1) / width
    rows = (down >= corners[:, :1]) & (down < corners[:, :1] + sides[:, :1])
    columns = (right >= corners[:, 1:]) & (right < corners[:, 1:] + sides[:, 1:])
    hole = (rows[:, :, None] & columns[:, None, :] & chosen[:, None, None]).unsqueeze(1)
    return pixels.masked_fill(hole.to(pixels.device), 0.0)
