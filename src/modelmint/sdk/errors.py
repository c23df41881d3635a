"""What can go wrong between a venture's folder and whoever works with it; the rest comes up from the floors below."""

from __future__ import annotations

from modelmint.kit.errors import Conflict, InvalidInput, NotFound, Unavailable


class FileInTheWay(Conflict):
    """A command would overwrite something that it did not make."""

    code = "file_in_the_way"


class NoVentureHere(NotFound):
    """The folder holds neither a venture file nor a workspace."""

    code = "no_venture_here"


class NothingBuilt(NotFound):
    """A verb needs a release or a frozen dataset, and there is none yet."""

    code = "nothing_built"


class NotPredictable(InvalidInput):
    """An array or an object in memory that cannot be taken for a picture."""

    code = "not_predictable"


class BadWaiver(InvalidInput):
    """A waiver for a gate that is not set, or with a reason that says nothing."""

    code = "bad_waiver"


class ShopDidNotOpen(Unavailable):
    """The server process that a program asked for ended before it served."""

    code = "shop_did_not_open"
