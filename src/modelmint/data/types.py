"""The nouns of data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class RawRow:
    """What a reader yields: nothing is decoded or judged yet."""

    #: File name relative to the source, or a place in it such as ``train_images[17]``.
    name: str
    #: Label name; None where the source states none.
    label: str | None
    #: The split the source states, None where splits are to be made.
    split: Split | None
    #: Bytes of one input as a customer would send them (an encoded picture); may raise ``OSError``.
    load: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class RawData:
    """A reader's whole answer."""

    rows: tuple[RawRow, ...]
    #: Label names in the source's own order; empty where it has none.
    labels: tuple[str, ...]
    #: What the reader knows of the source (family name, licence), for the card.
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem in the data and what was done about it."""

    #: unreadable | truncated | not_an_image | too_large | exact_duplicate | split_overlap |
    #: contradicting_label | imbalance | empty_class | unknown_label | missing_file
    kind: str
    name: str
    message: str
    #: skipped | kept | failed
    action: str
    #: The other row, for duplicates.
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a frozen dataset version; its payload lies at ``[offset, offset + length)``."""

    name: str
    split: Split
    label: int
    group: str | None
    digest: str
    offset: int
    length: int
