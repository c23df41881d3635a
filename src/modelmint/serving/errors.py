"""What can go wrong between an admitted call and its answer."""

from __future__ import annotations

from modelmint.kit.errors import InvalidInput, NotFound, Unavailable


class NotServed(NotFound):
    """No model of this name is served."""

    code = "unknown_model"


class Overloaded(Unavailable):
    """More calls wait for the engine than the queue holds; waiting a moment cures it."""

    code = "overloaded"


class TooManyExplanations(InvalidInput):
    """More explanations asked for in one call than are allowed."""

    code = "too_many_explanations"
    status = 413


class Stopping(Unavailable):
    """The host is shutting down and takes no new calls."""

    code = "stopping"


class EngineFailed(Unavailable):
    """The engine broke on this very input, alone in its batch."""

    code = "engine_failed"
    status = 500


class ClientGone(Unavailable):
    """The caller hung up before the answer was ready; nothing is billed."""

    code = "client_gone"
    status = 499  # the customary number (nginx); it never travels, it only stands in the outcome row


class Unloadable(Unavailable):
    """A sound bundle whose graph the engine cannot open."""

    code = "unloadable_release"
