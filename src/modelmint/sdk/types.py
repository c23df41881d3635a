"""The nouns of what is shown, before anybody decides how it is drawn: on a terminal, in a file, in a notebook."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; figures stand to the right."""

    name: str
    figure: bool = False


@dataclass(frozen=True, slots=True)
class TableView:
    """A small table in words and figures; ``marks`` names rows (by index) that deserve attention."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    #: row index -> "good" | "bad" | "warn" | "alarm"
    marks: dict[int, str]
    #: One line below it.
    note: str = ""
