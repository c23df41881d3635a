"""What can go wrong at the shell itself; everything else comes up from the floors below."""

from __future__ import annotations

from modelmint.kit.errors import InvalidInput, Unavailable
from modelmint.sdk.errors import FileInTheWay, NothingBuilt, NoVentureHere

__all__ = ["BadUsage", "DemoWentWrong", "FileInTheWay", "NoVentureHere", "NothingBuilt"]


class BadUsage(InvalidInput):
    """The command line cannot be understood."""

    code = "bad_usage"


class DemoWentWrong(Unavailable):
    """A step of the demo got an answer that it must not get."""

    code = "demo_went_wrong"
