"""The nouns of taking money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from modelmint.kit.money import Money


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to collect an invoice: pending, succeeded or failed."""

    id: str
    invoice: str
    provider: str
    #: The provider's own name for it, "" as long as it is not known.
    reference: str
    amount: Money
    state: str
    #: The provider's reason for a failure, "" otherwise.
    reason: str
    at: datetime
    #: When to try again or to look again, None where nobody will.
    next_at: datetime | None = None
    #: "collect": we asked; "checkout": the customer pays on the provider's page.
    kind: str = "collect"
    #: Given back so far.
    refunded: Money | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider says of an attempt; "pending" where it will tell by webhook."""

    state: str
    reference: str = ""
    reason: str = ""
    #: What the provider keeps of it, where it says so.
    fee: Money | None = None
    #: True where asking again would come to the same.
    final: bool = False


@dataclass(frozen=True, slots=True)
class Checkout:
    """A page of the provider on which the customer pays."""

    url: str
    reference: str


@dataclass(frozen=True, slots=True)
class ReturnUrls:
    """Where the provider's page sends the customer afterwards."""

    success: str
    cancel: str


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """What a provider told by webhook, understood and authentic."""

    provider: str
    #: The provider's id of the event: the same one may come twice and in any order.
    id: str
    #: "payment.succeeded", "payment.failed", "payment.refunded", or another, noted and passed over.
    kind: str
    #: What it is about: the attempt's id, or its reference.
    reference: str
    at: datetime
    #: Money that came; with "payment.refunded" all that went back so far, so that order does not matter.
    amount: Money | None
    reason: str
    #: What is kept of it. Nothing personal: it stays for ever.
    body: Mapping[str, Any] = field(default_factory=dict)
    fee: Money | None = None
    #: The provider's name of the payment, where it differs from ``reference``: refunds will name it.
    payment: str = ""


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What is told of one customer's use of one meter on one day: all of it, or what came late, as a further part."""

    #: The identifier under which it counts once.
    id: str
    customer: str
    #: The provider's name of the customer.
    reference: str
    meter: str
    #: The day's first moment; ``at`` is the time that it carries.
    day: datetime
    part: int
    quantity: int
    at: datetime
    #: "pending"; "sent"; "carried": less than a unit, goes along with a later one; "refused": tried again in a day;
    #: for good: "expired", too long ago by now, and "unknown", maybe counted.
    state: str
    reason: str
    tries: int
