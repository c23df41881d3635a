"""The nouns of data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

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
    #: What the reader could not make a row of.
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One place that a reader is asked to read."""

    #: As the user wrote it: ``pictures/``, ``sklearn:digits``.
    text: str
    #: The same as a path, relative ones from the venture's folder; links resolved.
    path: Path
    #: Label names that the venture declares, in its order; empty where it declares none.
    labels: tuple[str, ...] = ()


class Reader(Protocol):
    """One data format. Implementations hold no state."""

    #: One line on what it reads, for messages.
    reads: str

    def recognises(self, source: Source) -> bool:
        """Whether this is (probably) its format; cheap, raises nothing."""
        ...

    def files(self, source: Source) -> Sequence[Path]:
        """Every file whose content decides what ``read`` gives, sorted."""
        ...

    def read(self, source: Source) -> RawData:
        """All rows, undecoded; raises ``UnreadableSource`` where the format is broken as a whole."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem in the data and what was done about it."""

    #: unreadable | truncated | not_an_image | too_large | exact_duplicate | split_overlap |
    #: contradicting_label | imbalance | empty_class | unknown_label | missing_file | outside_source | not_used |
    #: near_duplicate | split_shift | corrected_label
    kind: str
    name: str
    message: str
    #: skipped | kept | changed | failed (kept by ``on_problem = "fail"`` from becoming a dataset version)
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
