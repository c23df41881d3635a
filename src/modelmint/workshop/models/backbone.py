"""A backbone as the workshop sees it: how to encode for it, where its weights come from, how to build it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from modelmint.tasks.types import ImageSettings
from modelmint.workshop.models.classifier import Classifier, Head


class Body(Protocol):
    """A network without its head: pictures ``[n, c, s, s]`` in, pooled features ``[n, width]`` out."""

    width: int

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor: ...


@dataclass(frozen=True, slots=True)
class BaseRequest:
    """What a venture wants of a base. ``image_size`` is None where the founder did not state one."""

    base: str
    #: Folder that relative paths are relative to.
    root: Path
    image_size: int | None = None
    default_size: int = 96
    #: 1 where every picture of the dataset is grey, else 3.
    channels: int = 3
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Backbone:
    """One resolved base model."""

    name: str
    pretrained: bool
    #: Licence of the weights, as far as their source states it.
    licence: str
    #: Where the weights come from and their digest; plain JSON.
    source: Mapping[str, Any]
    #: How pictures are encoded for it.
    settings: ImageSettings
    #: Plain JSON from which ``architectures.blank_body`` builds the same network without weights.
    architecture: Mapping[str, Any]
    #: Makes the body with its pretrained weights (or fresh ones).
    load: Callable[[], nn.Module] = field(repr=False)

    def build(self, labels: int, *, hidden: int = 0, dropout: float = 0.2, seed: int = 0) -> Classifier:
        """The network with a fresh head for so many labels; the same ``seed`` gives the same weights."""
        torch.manual_seed(seed)
        body = self.load()
        return Classifier(body, Head(body.width, labels, hidden, dropout))  # type: ignore[arg-type] # every body has an int width


BackboneFactory = Callable[[BaseRequest], Backbone]
