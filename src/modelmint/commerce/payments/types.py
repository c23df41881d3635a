"""The nouns of taking money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modelmint.kit.money import Money


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to collect an invoice: pending, succeeded or failed."""

    id: str
    invoice: str
    provider: str
    #: The provider's own name for it.
    reference: str
    amount: Money
    state: str
    #: The provider's reason for a failure, "" otherwise.
    reason: str
    at: datetime
    #: When to try again, None where nobody will.
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """What a provider told by webhook, understood and authentic."""

    provider: str
    #: The provider's id of the event: the same one may come twice and in any order.
    id: str
    #: "payment.succeeded", "payment.failed", "payment.refunded", "checkout.completed", or another, passed over.
    kind: str
    #: What it is about: the attempt's reference.
    reference: str
    at: datetime
    amount: Money | None
    reason: str
    body: Mapping[str, Any]
