"""The nouns of commerce. Money is minor units or ``Decimal``; times are aware UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from modelmint.kit.money import Money, UnitPrice
from modelmint.kit.period import Period


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to ``up_to`` (None: the rest) at ``price`` each."""

    up_to: int | None
    price: UnitPrice


@dataclass(frozen=True, slots=True)
class Charge:
    """A usage charge: graduated tiers over a meter."""

    meter: str
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of a plan. A change of price is a new version with the same name."""

    name: str
    version: str
    title: str
    currency: str | None
    monthly: Money | None
    charges: tuple[Charge, ...]
    free_calls: int | None
    days: int | None
    max_calls: int | None
    calls_per_minute: int | None


@dataclass(frozen=True, slots=True)
class Customer:
    """Who pays."""

    id: str
    name: str
    email: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Key:
    """An API key; the secret itself is shown once and never stored."""

    id: str
    customer: str
    #: First characters of the secret, to recognise it by.
    hint: str
    name: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A customer holds a plan version since ``starts_at``, until ``ends_at`` where it ended."""

    id: str
    customer: str
    plan: str
    plan_version: str
    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """One authenticated-to-be call that asks to be served."""

    #: sha256 of the presented secret, hex; None where no key came.
    key_digest: str | None
    model: str
    calls: int
    items: int
    idempotency_key: str | None = None
    #: sha256 of the request body, so that a reused idempotency key with another body is refused.
    body_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """The call may run. ``replay`` holds the stored answer of an idempotent retry, which costs nothing."""

    reservation: str
    customer: str
    key: str
    subscription: str
    plan: str
    #: Calls left before the plan refuses, None where it has no limit.
    remaining: int | None
    #: Calls per minute allowed, None where it has no rate.
    rate_limit: int | None
    replay: bytes | None = None
    #: Calls that the rate would admit at this very moment, None where the plan has no rate.
    rate_remaining: int | None = None
    #: Seconds until the whole rate is there again.
    rate_reset: int | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a reserved call ended. Only ``status`` 200 is billable."""

    reservation: str
    status: int
    code: str
    release: str | None = None
    variant: str | None = None
    prediction: str | None = None
    calls: int = 0
    items: int = 0
    compute_ms: Decimal = Decimal(0)
    #: The answer's bytes, kept only where an idempotency key came with the call.
    answer: bytes | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The append-only row that every authenticated call leaves."""

    id: str
    customer: str
    key: str
    subscription: str | None
    model: str
    at: datetime
    status: int
    code: str
    billable: bool
    calls: int
    items: int
    compute_ms: Decimal
    release: str | None
    variant: str | None
    prediction: str | None


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line that explains itself: ``quantity`` x ``unit_price`` in ``tier``, rounded once."""

    description: str
    meter: str | None
    quantity: int
    unit_price: UnitPrice | None
    amount: Money
    #: In English; ``kind`` and ``data`` say the same for machines and other languages.
    explanation: str
    #: Name of the price model that made the line.
    kind: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Invoice:
    """Finalised and immutable; ``number`` is gapless within the venture."""

    id: str
    number: int
    customer: str
    customer_name: str
    period: Period
    currency: str
    lines: tuple[InvoiceLine, ...]
    total: Money
    plan: str
    plan_version: str
    notice: str
    finalised_at: datetime


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One leg of a double-entry transaction; the legs of a ``transaction`` sum to zero."""

    id: str
    transaction: str
    account: str
    amount: Money
    at: datetime
    memo: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MeterTotals:
    """Billable quantities of one subscription in one month: what is on closed invoices, and what is new."""

    subscription: str
    #: First moment of the calendar month (UTC) in which the usage happened.
    month: datetime
    #: Meter -> quantity that earlier invoices hold.
    before: Mapping[str, int]
    #: Meter -> quantity to bill now.
    new: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class UsageSummary:
    """A customer's billable usage in a period, by model and by day, and refused or failed calls by code."""

    customer: str
    period: Period
    calls: int
    items: int
    by_model: Mapping[str, int]
    by_day: Mapping[str, int]
    refused: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Deployment:
    """Which release (and variant of the model) a public name serves since when; the newest row counts."""

    name: str
    release: str
    model: str
    variant: str | None
    at: datetime
