"""``[model]``, or ``[models.NAME]``: the backbone, what is trained and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from modelmint.venture.sections.base import Complaint, Section, refuse_if_any
from modelmint.venture.sections.compress import CompressSection

Augmentation = Literal["shift", "rotate", "scale", "brightness", "contrast", "flip", "flip-vertical", "erase"]


class ModelSection(Section):
    """Defaults are the same for every venture; ``None`` means decided by rules that never see test data."""

    task: Literal["image-classification"] = "image-classification"
    base: str = "efficientnet-lite0"
    method: Literal["full", "head"] = "full"
    image_size: int = Field(96, ge=8, le=1024)
    epochs: int | None = Field(None, ge=1, le=1000)
    hidden: int = Field(0, ge=0, le=8192)
    dropout: float = Field(0.2, ge=0, lt=1)
    batch_size: int | None = Field(None, ge=1, le=4096)
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float | None = Field(None, gt=0, le=10)
    weight_decay: float | None = Field(None, ge=0, le=1)
    label_smoothing: float | None = Field(None, ge=0, lt=1)
    class_weights: Literal["balanced", "none"] = "none"
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(0.1, ge=0, lt=1)
    #: Epochs without a better validation loss before training stops; 0 trains to the end.
    patience: int = Field(0, ge=0)
    #: "auto": what suits the data (a flip only where flipped pictures keep their label, measured on training data).
    augment: Literal["auto", "none"] | list[Augmentation] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    seed: int = Field(0, ge=0)
    #: Hub revision, for ``base`` names that go to a model hub.
    revision: str | None = None
    #: Share of answers (0 to 0.5) that may be left undecided on validation; 0 never abstains.
    abstain: float = Field(0.0, ge=0, le=0.5)
    #: Variants for sale; empty means one called "default" made by ``[compress]``.
    variants: dict[str, CompressSection] = {}

    @model_validator(mode="after")
    def _can_be_trained(self) -> ModelSection:
        refuse_if_any(self._complaints())
        return self

    def _complaints(self) -> Iterator[Complaint]:
        if self.precision == "bfloat16" and self.method == "head":
            message = 'is for method = "full"; "head" learns from features that are kept in float32. Leave it out'
            yield Complaint(("precision",), message, needs=(("method",),))
