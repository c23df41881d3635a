"""The nouns of stored inputs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Input:
    """One input as it was sent, with what it belongs to."""

    #: As in feedback: with ``.N`` where the call had several inputs.
    prediction: str
    customer: str
    model: str
    release: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored input: where it lies, sealed, and since which day (UTC midnight)."""

    prediction: str
    customer: str
    day: datetime
    #: Bytes on disk.
    size: int


@dataclass(frozen=True, slots=True)
class KeepRules:
    """``[privacy]`` as the keeper goes by it."""

    keep_days: int
    #: Share of calls whose inputs are kept, 0 to 1.
    share: float
    #: Bytes on disk of all stored inputs together.
    most_bytes: int
