"""``[data]``: where labelled rows come from and how they are split."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Literal

from pydantic import Field, model_validator

from modelmint.kit.registry import nearest
from modelmint.venture.sections.base import Complaint, Section, refuse_if_any


class DataSection(Section):
    """One ``source``, or separate ``train`` (and ``val``, ``test``) paths. Paths are relative to the file."""

    source: str | None = None
    train: str | None = None
    val: str | None = None
    test: str | None = None
    #: Reader name; found from the source when not given.
    format: str | None = None
    labels: list[str] | None = None
    #: The label that counts as "found" in a two-class task (sensitivity, threshold).
    positive: str | None = None
    #: Regular expression over a row's name; what its first group (or the whole match) catches is the
    #: row's group, and a group never spans two splits (one patient, one customer).
    group: str | None = None
    val_fraction: float = Field(0.15, gt=0, lt=0.5)
    test_fraction: float = Field(0.15, gt=0, lt=0.5)
    split_seed: int = 0
    on_problem: Literal["skip", "fail"] = "skip"
    #: Pictures that are nearly the same: told as findings, or the less worthy one left out (never a test row).
    near_duplicates: Literal["report", "skip", "off"] = "report"
    #: CSV file of a reviewer's decisions on single rows: the right label, or that a row is left out.
    corrections: str | None = None
    #: Larger pictures are refused by their header; the decoder itself goes no further than the upper bound.
    max_pixels: int = Field(50_000_000, ge=1, le=178_956_970)
    #: Licence of the data, carried into the release.
    licence: str = "not stated"

    @model_validator(mode="after")
    def _coherent(self) -> DataSection:
        refuse_if_any(chain(self._ways_in(), self._label_complaints(), self._group_complaints()))
        return self

    def _ways_in(self) -> Iterator[Complaint]:
        needs = (("source",), ("train",), ("val",), ("test",))
        if self.source is None and self.train is None:
            message = 'expected source = "..." or train = "..." (with val and test if you have them), found neither'
            yield Complaint((), message, needs=needs)
        elif self.source is not None:
            for name in ("train", "val", "test"):
                if getattr(self, name) is not None:
                    message = "goes with separate train, val and test paths; with source the splits are found or made"
                    yield Complaint((name,), message, needs=needs)

    def _label_complaints(self) -> Iterator[Complaint]:
        if self.labels is None:
            return
        if len(self.labels) < 2:
            yield Complaint(("labels",), f"expected at least two labels, found {len(self.labels)}")
        for place, label in enumerate(self.labels):
            if not label.strip():
                yield Complaint(("labels", place), "a label needs a name, found an empty text")
            elif label in self.labels[:place]:
                yield Complaint(("labels", place), f"labels must differ from each other, found {label!r} twice")
        if self.positive is None:
            return
        if self.positive not in self.labels:
            message = f"expected one of the labels {', '.join(self.labels)}; found {self.positive!r}"
            close = nearest(self.positive, self.labels)
            yield Complaint(("positive",), message, close, needs=(("labels",), ("positive",)))
        elif len(self.labels) > 2:
            message = f"is for a choice between two labels, found {len(self.labels)}; leave it out"
            yield Complaint(("positive",), message, needs=(("labels",),))

    def _group_complaints(self) -> Iterator[Complaint]:
        try:
            re.compile(self.group or "")
        except (re.error, RecursionError, OverflowError) as error:
            yield Complaint(
                ("group",), f"expected a regular expression over file names; {self.group!r} is not: {error}"
            )
