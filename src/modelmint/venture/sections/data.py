"""``[data]``: where labelled rows come from and how they are split."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from modelmint.venture.sections.base import Section


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
    max_pixels: int = Field(50_000_000, ge=1)
    #: Licence of the data, carried into the release.
    licence: str = "not stated"

    @model_validator(mode="after")
    def _one_way_in(self) -> DataSection:
        if (self.source is None) == (self.train is None):
            raise ValueError("expected either source or train (with val and test if you have them), not both or none")
        if self.source is not None and (self.val or self.test):
            raise ValueError("val and test go with train; with source the splits are found or made")
        if self.labels is not None and len(set(self.labels)) != len(self.labels):
            raise ValueError("labels must differ from each other")
        if self.labels is not None and len(self.labels) < 2:
            raise ValueError("expected at least two labels")
        if self.positive is not None and self.labels is not None and self.positive not in self.labels:
            raise ValueError(f"positive must be one of the labels {self.labels}, found {self.positive!r}")
        return self
