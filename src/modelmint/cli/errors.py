"""What can go wrong at the shell itself; everything else comes up from the floors below."""

from __future__ import annotations

from modelmint.kit.errors import Conflict, InvalidInput, NotFound, Unavailable


class BadUsage(InvalidInput):
    """The command line cannot be understood."""

    code = "bad_usage"


class FileInTheWay(Conflict):
    """A command would overwrite something that it did not make."""

    code = "file_in_the_way"


class NoVentureHere(NotFound):
    """The folder holds neither a venture file nor a workspace."""

    code = "no_venture_here"


class NothingBuilt(NotFound):
    """A verb needs a release or a frozen dataset, and there is none yet."""

    code = "nothing_built"


class DemoWentWrong(Unavailable):
    """A step of the demo got an answer that it must not get."""

    code = "demo_went_wrong"
