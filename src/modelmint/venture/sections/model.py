"""``[model]``, or ``[models.NAME]``: the backbone, what is trained and how; or a model made elsewhere, as ONNX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from modelmint.venture.sections.base import Complaint, Section, refuse_if_any
from modelmint.venture.sections.compress import CompressSection

Augmentation = Literal["shift", "rotate", "scale", "brightness", "contrast", "flip", "flip-vertical", "erase"]
#: How a graph made elsewhere wants its pictures: order of the axes ("nhw": grey without an axis of channels; "flat":
#: height, width, channels in one row; "flat-chw": channels first) ...
PictureLayout = Literal["auto", "nchw", "nhwc", "nhw", "flat", "flat-chw"]
#: ... and the range of its values.
PictureScale = Literal["auto", "unit", "raw", "signed", "imagenet", "caffe"]
#: Keys that speak of training: an own model is used as it is.
TRAINING_KEYS = (
    "method", "epochs", "hidden", "dropout", "batch_size", "optimizer", "learning_rate", "weight_decay",
    "label_smoothing", "class_weights", "schedule", "warmup", "patience", "augment", "precision", "revision",
)  # fmt: skip
#: Keys that speak of an own model.
OWN_KEYS = ("layout", "scale", "mean", "std", "output", "output_name", "licence")
_FILE = ".onnx"


def is_own(base: str) -> bool:
    """Whether ``base`` is the path of an ONNX file: a model made elsewhere, which is not trained."""
    return base.lower().endswith(_FILE)


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
    #: Of an own model (``base`` ends in .onnx). "auto": as the graph says, else the reading that answers best on
    #: training pictures.
    layout: PictureLayout = "auto"
    scale: PictureScale = "auto"
    #: Per channel (red, green, blue) of pixels in 0..1, instead of ``scale``: value = (pixel - mean) / std.
    mean: list[float] | None = None
    std: list[float] | None = None
    output: Literal["auto", "logits", "probabilities"] = "auto"
    #: Where the graph has several outputs that could be meant.
    output_name: str | None = None
    #: Licence of the weights, carried into the release.
    licence: str = "not stated"

    @model_validator(mode="after")
    def _can_be_trained(self) -> ModelSection:
        refuse_if_any(self._complaints())
        return self

    @property
    def own(self) -> bool:
        """Whether the model was made elsewhere: ``base`` is an ONNX file."""
        return is_own(self.base)

    def _complaints(self) -> Iterator[Complaint]:
        if self.own:
            yield from self._own_complaints()
            return
        if self.precision == "bfloat16" and self.method == "head":
            message = 'is for method = "full"; "head" learns from features that are kept in float32. Leave it out'
            yield Complaint(("precision",), message, needs=(("method",),))
        for key in OWN_KEYS:
            if key in self.model_fields_set:
                message = (
                    f'is for a model made elsewhere (base = "model{_FILE}"); {self.base!r} has its own. Leave it out'
                )
                yield Complaint((key,), message, needs=(("base",),))

    def _own_complaints(self) -> Iterator[Complaint]:
        for key in TRAINING_KEYS:
            if key in self.model_fields_set:
                message = f"is about training, and {self.base!r} is used as it is. Leave it out"
                yield Complaint((key,), message, needs=(("base",),))
        if (self.mean is None) != (self.std is None):
            given, other = ("mean", "std") if self.std is None else ("std", "mean")
            yield Complaint((given,), f"goes with {other}; give both or neither", needs=(("mean",), ("std",)))
        if "scale" in self.model_fields_set and self.mean is not None:
            message = f"mean and std say how pixels are scaled, and so does scale = {self.scale!r}; give one of them"
            yield Complaint(("scale",), message, needs=(("mean",),))
        for key in ("mean", "std"):
            values = getattr(self, key)
            if values is not None and len(values) not in (1, 3):
                yield Complaint((key,), f"expected 1 number (grey) or 3 (red, green, blue), found {len(values)}")
        if self.mean is not None and self.std is not None and len(self.mean) != len(self.std):
            message = f"expected as many numbers as mean has, {len(self.mean)}; found {len(self.std)}"
            yield Complaint(("std",), message, needs=(("mean",), ("std",)))
        if any(value <= 0 for value in self.std or ()):
            yield Complaint(("std",), f"expected numbers above 0, found {self.std}")
        if self.layout == "nhw" and self.scale in ("imagenet", "caffe"):
            message = f'{self.scale!r} is for colours, and layout = "nhw" is grey'
            yield Complaint(("scale",), message, needs=(("layout",),))
