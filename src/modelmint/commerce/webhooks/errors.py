"""What can go wrong with webhooks."""

from __future__ import annotations

from modelmint.kit.errors import InvalidInput, LimitExceeded, NotAllowed, NotFound


class BadEndpoint(InvalidInput):
    """An address or a list of kinds that no message can be sent by."""

    code = "bad_endpoint"


class PrivateAddress(NotAllowed):
    """A customer's webhook would reach into a private network."""

    code = "private_address"


class TooManyEndpoints(LimitExceeded):
    """One owner has as many webhook endpoints as one may have."""

    code = "too_many_endpoints"


class UnknownEndpoint(NotFound):
    """No webhook endpoint has this id."""

    code = "unknown_endpoint"


class UnknownMessage(NotFound):
    """No message has this id."""

    code = "unknown_message"


class MessagePurged(UnknownMessage):
    """The message was delivered, or given up, so long ago that it is not kept any more."""

    code = "message_purged"
    status = 410


class ForgedWebhook(NotAllowed):
    """A webhook whose signature is missing, wrong, or too old."""

    code = "forged_webhook"
    status = 401
