"""The nouns of outgoing webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where messages go; its secret signs them and is shown once."""

    id: str
    #: "founder", or the id of the customer whose events it hears.
    owner: str
    url: str
    #: Kinds it wants, "*" for all.
    kinds: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Message:
    """Something that happened, told to whoever wants to know; append-only, written with what it tells of."""

    id: str
    kind: str
    #: Whom it is about, None for the venture itself.
    customer: str | None
    body: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one endpoint."""

    id: str
    message: str
    endpoint: str
    #: "waiting", "delivered", "given_up".
    state: str
    attempts: int
    next_at: datetime | None
    #: Status of the last answer, None where none came.
    last_status: int | None
    last_error: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery that is due, with all that is needed to send it."""

    delivery: str
    message: Message
    endpoint: Endpoint
    #: Secrets that sign it: the present one, and for a day after a rotation the former one.
    secrets: tuple[str, ...]
    attempts: int


#: All that a customer is told where the host of its endpoint leads nowhere or to a private place. What follows it in
#: ``last_error`` is what our resolver knows of our network, and is for the founder.
NO_PLACE = "could not be delivered: the host has no address on the public internet that we could find"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of sending a parcel: a status, or none and the reason."""

    delivery: str
    endpoint: str
    status: int | None
    error: str

    @property
    def taken(self) -> bool:
        """Whether the receiver said that it has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver asked for no more, ever."""
        return self.status == 410
