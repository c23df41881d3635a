"""The nouns of the shell: what a verb shows, before anybody decides how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """What may stand before or after any verb."""

    folder: str = "."
    json: bool = False
    quiet: bool = False
    plain: bool = False
    debug: bool = False


CheckState = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Check:
    """One row of ``doctor``: what was looked at, what was found, what to do about it."""

    #: machine | python | extras | venture | data | workspace | port
    group: str
    name: str
    state: CheckState
    found: str
    #: What to do; empty where nothing needs doing.
    todo: str = ""
