"""The nouns of keys and people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: What a customer can agree to: that what it sends is kept (see ``monitoring.inputs``).
INPUTS = "inputs"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what; append-only, names nobody in plain text."""

    seq: int
    at: datetime
    #: "founder", "customer:ID", "partner:ID", "system".
    actor: str
    #: A verb with its noun: ``key.revoked``, ``subscription.changed``.
    action: str
    subject: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Alarm:
    """A key that behaves unlike itself; goes on until ``ended_at``."""

    id: str
    key: str
    customer: str
    #: "rate" or "errors".
    kind: str
    at: datetime
    ended_at: datetime | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What became of a person's data."""

    customer: str
    pseudonym: str
    erased_at: datetime
    #: Keys revoked, webhook endpoints removed, usage events emptied, stored answers dropped.
    keys: int
    endpoints: int
    events: int
    answers: int
    #: True where the database's files were rewritten, so that no byte of what went lies in them any more.
    scrubbed: bool
    #: Stored inputs deleted; None where nobody looked for any.
    inputs: int | None = None
