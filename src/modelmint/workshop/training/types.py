"""The nouns of training. No torch: a cached build reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from modelmint.tasks.types import ModelSpec

#: Weights that a run ends with: of the last epoch, or of the epoch with the lowest validation loss.
Keep = Literal["last", "best"]


@dataclass(frozen=True, slots=True)
class Layout:
    """How tensors lie in memory and which precision the network computes in; decided by timing."""

    #: float32 | bfloat16
    precision: str = "float32"
    channels_last: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """Every choice of one training, resolved; plain JSON. The same plan gives the same weights."""

    method: str
    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    #: One weight per label; None weighs every row alike.
    class_weights: tuple[float, ...] | None
    schedule: str
    warmup: float
    patience: int
    augment: tuple[str, ...]
    #: Share of pictures that each kind of augmentation changes.
    augment_share: float
    #: Augmented copies beside the plain training rows; for method ``head``, whose inputs do not change per epoch.
    copies: int
    keep: Keep
    #: True: batch normalisation keeps the pretrained statistics while training.
    freeze_norm: bool
    hidden: int
    dropout: float
    seed: int
    threads: int


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One line of the history. Losses in nats; ``val_*`` are of the weights that would be kept."""

    epoch: int
    loss: float
    val_loss: float
    val_accuracy: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class TrainedRun:
    """A finished train folder: ``model.safetensors``, ``run.json``, ``timing.json``, ``tensorboard/``.

    ``digest`` names weights and spec; times are never part of it.
    """

    folder: Path
    digest: str
    weights_digest: str
    #: Encode settings, labels; the decision rule is still the default one.
    spec: ModelSpec
    #: name, pretrained, licence, source, architecture.
    backbone: Mapping[str, Any]
    plan: Mapping[str, Any]
    layout: Mapping[str, Any]
    history: tuple[EpochRow, ...]
    #: Epoch whose weights were kept, counting from 1.
    kept_epoch: int
    #: Seconds spent in training, interrupted parts included; encoding not included.
    seconds: float
    #: What the founder should know, of a model made elsewhere.
    notes: tuple[str, ...] = ()
