"""The nouns of the Open Inference Protocol v2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelmint.kit.arrays import AnyArray


@dataclass(frozen=True, slots=True)
class TensorMeta:
    """What a model says of one of its inputs or outputs; -1 stands for the number of items in the call."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RequestTensor:
    """An input as it was sent; its data is not looked into yet."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    #: What stood in the JSON (nested or flat), or the tensor's own bytes of the binary part.
    data: Any | memoryview


@dataclass(frozen=True, slots=True)
class WantedOutput:
    """An output that was asked for by name."""

    name: str
    #: True for bytes behind the JSON, False for JSON; None as the whole request says.
    binary: bool | None = None
    #: How many of the highest values to give, as texts ``value:index:label``; 0 for the tensor itself.
    classification: int = 0


@dataclass(frozen=True, slots=True)
class InferRequest:
    """An inference request that was taken apart."""

    inputs: tuple[RequestTensor, ...]
    #: None for all of them.
    outputs: tuple[WantedOutput, ...] | None = None
    id: str | None = None
    #: Whether outputs are sent as bytes where nothing else is said.
    binary: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    #: Whether each answer comes with its explanation.
    explain: bool = False


@dataclass(frozen=True, slots=True)
class OutputTensor:
    """An output ready to be sent: an array, or texts and bytes in row-major order (``BYTES``)."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: AnyArray | tuple[bytes, ...]
    binary: bool = False
