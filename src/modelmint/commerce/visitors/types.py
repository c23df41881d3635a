"""The nouns of the trial page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Lead:
    """What a visitor left: a word, an address, or both."""

    id: str
    email: str
    comment: str
    #: The prediction that it is about, where it is about one.
    prediction: str | None
    #: In which the visitor read the page.
    language: str
    #: The words agreed to; None where no address was left.
    consent: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many tries there are: for one visitor, a day for one network address, a day for all together."""

    visitor: int
    address: int
    everybody: int
    #: Tries a day that one network address may make with what cannot be used; they use no try up. None: any number.
    refused: int | None = None


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who tries: digests that say nothing of a person without the house's secret."""

    id: str
    address: str
