"""The frozen dataset, as its card tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from modelmint.data.card import card, card_markdown
from modelmint.data.types import SPLITS, Finding
from modelmint.data.version import DatasetVersion
from modelmint.sdk.shown import Shown
from modelmint.sdk.types import Column, TableView


class Dataset(Shown):
    """What the models are trained and judged on."""

    def __init__(self, version: DatasetVersion) -> None:
        #: The version itself, with its rows and pictures; the test split is for the judge.
        self.version = version

    @property
    def digest(self) -> str:
        """sha256 of labels, rows and pictures."""
        return self.version.digest

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the model's outputs."""
        return self.version.labels

    @property
    def findings(self) -> Sequence[Finding]:
        """Every problem in the data and what was done about it."""
        return self.version.findings

    @cached_property
    def card(self) -> Mapping[str, Any]:
        """The dataset card as plain JSON."""
        return card(self.version)

    def markdown(self) -> str:
        """The dataset card as Markdown."""
        return card_markdown(self.version)

    def _views(self) -> Sequence[TableView]:
        return (rows_view(self.version, self.card["rows_by_label"]), findings_view(self.card["problems"]))


def rows_view(version: DatasetVersion, by_split: Mapping[str, Mapping[str, int]]) -> TableView:
    """Rows by label and split; ``by_split``: split -> label -> rows."""
    rows = [
        (label, *(f"{by_split[split][label]:,}" for split in SPLITS), f"{sum(by_split[s][label] for s in SPLITS):,}")
        for label in version.labels
    ]
    totals = [version.counts[split] for split in SPLITS]
    rows.append(("all", *(f"{number:,}" for number in totals), f"{sum(totals):,}"))
    columns = (Column("label"), *(Column(split, True) for split in SPLITS), Column("all", True))
    return TableView("Rows", columns, tuple(rows), {})


def findings_view(problems: Sequence[Mapping[str, Any]]) -> TableView:
    """Findings counted by kind and by what was done."""
    rows = tuple((one["kind"], one["action"], f"{one['rows']:,}") for one in problems) or (("none", "", "0"),)
    return TableView("Findings", (Column("kind"), Column("done"), Column("rows", True)), rows, {})
