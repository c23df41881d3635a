"""What can be wrong with a visitor's try, or with what is left."""

from __future__ import annotations

from modelmint.kit.errors import InvalidInput, LimitExceeded, NotFound


class TriesSpent(LimitExceeded):
    """The tries of this visitor, of its network address, or of everybody today are used up."""

    code = "tries_spent"
    status = 429


class BadLead(InvalidInput):
    """What was left cannot be kept: no address, no consent, nothing said."""

    code = "bad_lead"


class UnknownLead(NotFound):
    """Nobody left this address, or nothing has this id."""

    code = "unknown_lead"
