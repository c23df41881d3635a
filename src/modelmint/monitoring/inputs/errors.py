"""What can go wrong with stored inputs."""

from __future__ import annotations

from modelmint.kit.errors import Corrupted, NotFound


class InputUnreadable(Corrupted):
    """A stored input was changed, cut off, or sealed with a key that is not here."""

    code = "input_unreadable"


class NoSuchInput(NotFound):
    """No input of this prediction is stored."""

    code = "no_such_input"
