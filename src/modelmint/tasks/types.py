"""The nouns of tasks. What travels in the manifest as plain JSON: settings and the decision rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from modelmint.kit.arrays import AnyArray


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """How a picture becomes an array: resized to a square, scaled ``(x / 255 - mean) / std``, NCHW float32."""

    image_size: int
    channels: int = 3
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)
    resample: str = "bilinear"
    #: Pictures with more pixels are refused before they are decoded.
    max_pixels: int = 50_000_000


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """How probabilities become an answer; fitted on validation only.

    Logits are divided by ``temperature`` before the softmax. With a ``positive`` label of a two-class
    task the answer is ``positive`` where its probability is at least ``threshold``. The answer abstains
    where the probability of ``positive`` lies in ``[abstain_low, abstain_high]`` (two classes with a
    positive label) or the largest probability is below ``min_probability`` (otherwise).
    """

    temperature: float = 1.0
    positive: str | None = None
    threshold: float | None = None
    abstain_low: float | None = None
    abstain_high: float | None = None
    min_probability: float | None = None


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """All that encode and decode need to know of a model, the same in training and in serving."""

    task: str
    settings: Mapping[str, Any]
    labels: tuple[str, ...]
    decision: DecisionRule
    #: What the exported graph calls its input and output, for people and other tools; engines ask the graph itself.
    input_name: str = "pixels"
    output_name: str = "logits"


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer: ``probabilities`` in label order, calibrated; ``label`` stays set when it abstained."""

    label: str
    probability: float
    probabilities: tuple[float, ...]
    abstained: bool


@dataclass(slots=True)
class Counted:
    """What was seen of the inputs of one call while they were encoded; a task adds to it."""

    #: Width x height as sent, summed over pictures.
    pixels: int = 0
    characters: int = 0
    tokens: int = 0


@dataclass(slots=True)
class Wishes:
    """What a caller asked for beside an answer; a parser adds to it."""

    #: Which regions of each input spoke for its answer.
    explain: bool = False


class Task(Protocol):
    """One kind of model: what goes in and what comes out. Implementations hold no state."""

    name: str

    def default_settings(self, **wanted: Any) -> Mapping[str, Any]:
        """Full plain-JSON settings with ``wanted`` laid over the defaults; refuses unknown ones."""
        ...

    def encode(
        self, payloads: Sequence[bytes], settings: Mapping[str, Any], counted: Counted | None = None
    ) -> AnyArray:
        """Encoded inputs as one batch; raises a leaf of ``InvalidInput`` naming the first bad payload.

        ``counted`` is told the size of what was sent.
        """
        ...

    def accept(self, tensor: AnyArray, settings: Mapping[str, Any], counted: Counted | None = None) -> AnyArray:
        """Inputs that the caller encoded himself, ``[n, ...]``, checked and ready for the engine.

        Raises ``EmptyInput`` or ``BadTensor``. ``counted`` is told their size.
        """
        ...

    def input_shape(self, settings: Mapping[str, Any]) -> tuple[int, ...]:
        """Sides of one encoded input."""
        ...

    def planes(self, batch: AnyArray, settings: Mapping[str, Any]) -> AnyArray:
        """Encoded inputs ``[n, ...]`` as planes ``[n, channels, height, width]``: a view, whatever their layout.

        Writing to it writes to ``batch``.
        """
        ...

    def decode(self, outputs: AnyArray, spec: ModelSpec) -> list[Prediction]:
        """Raw outputs ``[n, labels]`` (logits) to answers by the decision rule."""
        ...
