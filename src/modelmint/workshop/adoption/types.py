"""The nouns of adoption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

#: How rows of an output are to be understood.
OutputKind = Literal["logits", "probabilities"]
Layout = Literal["nchw", "nhwc", "nhw", "flat", "flat-chw"]


@dataclass(frozen=True, slots=True)
class Foreign:
    """An ONNX file as it was found: the model with its outside weights taken in, and where it came from."""

    path: Path
    #: ``onnx.ModelProto``.
    model: Any
    #: File name -> sha256, of the file itself and of the files of weights beside it.
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class InputPort:
    """The one input: its ``TensorProto`` element type, and its sides behind the batch (None: any)."""

    name: str
    element: int
    sides: tuple[int | None, ...]
    #: The batch side where the graph fixes it.
    batch: int | None


@dataclass(frozen=True, slots=True)
class OutputPort:
    """The output that counts."""

    name: str
    #: Names of the classes where the graph holds them, in the order of its columns.
    classes: tuple[str, ...] = ()
    #: Columns, where the graph says so.
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to hand pictures to the graph: what encode does, and what the wrapped graph does behind it."""

    layout: Layout
    #: unit | raw | signed | imagenet | caffe | stated
    scale: str
    image_size: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    #: Blue, green, red: the order that Caffe's models were trained with.
    bgr: bool = False

    @property
    def told(self) -> str:
        """For notes: ``nhwc, raw [0, 255]``."""
        ranges = {
            "unit": "[0, 1]",
            "raw": "[0, 255]",
            "signed": "[-1, 1]",
            "imagenet": "ImageNet's mean and deviation",
            "caffe": "[0, 255] less ImageNet's mean, blue first",
            "stated": f"mean {list(self.mean)}, std {list(self.std)}",
        }
        return f"{self.layout}, {self.scale} ({ranges[self.scale]})"


@dataclass(frozen=True, slots=True)
class Ending:
    """Where the wrapped graph leaves the foreign one, and what has to be added to get logits ``[n, labels]``."""

    #: Tensor of the foreign graph.
    tensor: str
    #: What rows of that tensor are.
    kind: OutputKind
    #: Operator that was left out at the end ("Softmax", "Sigmoid"), "" for none.
    peeled: str = ""
    #: One column for two labels.
    column: bool = False
    #: Column of the graph for each label; () where they are in the order of the labels already.
    order: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """How well one reading answers on training pictures; a reading that gives NaN has no loss."""

    reading: Reading
    hits: int
    rows: int
    #: Mean negative log likelihood of the true label, nats; infinite where the outputs were not finite.
    loss: float = field(default=float("inf"))
