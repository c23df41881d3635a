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
