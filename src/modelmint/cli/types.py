"""The nouns of the shell: what a verb shows, before anybody decides how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from modelmint.sdk.types import Column, TableView

__all__ = ["Check", "CheckState", "Column", "GlobalOptions", "TableView"]


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
