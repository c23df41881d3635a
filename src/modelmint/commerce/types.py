"""The nouns of commerce. Money is minor units or ``Decimal``; times are aware UTC.

All are values that nobody changes. Those made for every call are not frozen, because a frozen one costs four times as
much to make.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from modelmint.kit.money import Money, UnitPrice


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to ``up_to`` (None: the rest) at ``price`` each."""

    up_to: int | None
    price: UnitPrice


@dataclass(frozen=True, slots=True)
class Fits:
    """Which usage a charge counts; None counts any. Of charges over one meter the first that fits counts it."""

    model: str | None = None
    variant: str | None = None
    #: State of the answer: "ok" or "abstained".
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """A usage charge over a meter. ``kind`` names its price model in ``rating.rate.MODELS``."""

    meter: str
    #: Prices; one open tier for per_unit and package, several for graduated, none for percentage.
    tiers: tuple[Tier, ...] = ()
    #: "per_unit", "graduated", "package" or "percentage".
    kind: str = "graduated"
    #: "sum", "count", "max" or "unique" of what the meter was fed.
    aggregate: str = "sum"
    fits: Fits = Fits()
    #: Units in a package; a begun one is paid.
    package: int = 1
    #: Share of the stated amounts, 0.025 for 2.5 %.
    percent: Decimal | None = None
    #: Units (percentage: minor units of amount) that cost nothing in each billing period, before the tiers begin.
    included: int = 0


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised of a billing period, and the share of it that is given back where it was not kept."""

    p99_ms: Decimal | None
    #: 0.999 for 99.9 %.
    availability: Decimal | None
    #: Share of fees and usage, 0.1 for 10 %.
    credit: Decimal


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
    yearly: Money | None = None
    #: A billing period's fees and usage come to at least this, and usage to at most ``cap``.
    minimum: Money | None = None
    cap: Money | None = None
    #: True: calls are admitted only while prepaid credit covers them.
    prepaid: bool = False
    promise: Promise | None = None
    #: True: included units, tiers and ``cap`` of a billing period are for the share of it in which the plan is held.
    prorate_included: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A version of a plan put on sale, or none: the plan withdrawn. Append-only."""

    name: str
    version: str | None
    #: When it was written.
    at: datetime
    #: Since when it counts, None for since ``at``.
    effective_at: datetime | None
    #: "file" or "api".
    origin: str

    @property
    def begins(self) -> datetime:
        """Since when it counts."""
        return self.effective_at or self.at


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """A version of a plan with its story: when it was or will be on sale, and who holds it."""

    plan: Plan
    stored_at: datetime
    #: On sale now.
    on_sale: bool
    #: When it next goes on sale, None where that is not planned.
    effective_at: datetime | None
    origin: str
    #: Customers who hold it now.
    holders: int


@dataclass(frozen=True, slots=True)
class Customer:
    """Who pays."""

    id: str
    name: str
    email: str
    created_at: datetime
    #: Day of the month on which billing periods begin, 1 to 31.
    anchor: int = 1
    #: 0.19 for 19 %.
    tax_rate: Decimal = Decimal(0)
    tax_name: str = ""
    tax_id: str = ""
    address: str = ""
    language: str = "en"
    partner: str | None = None
    channel: str | None = None
    erased_at: datetime | None = None


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
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    #: The key that this one replaces, where it was made by rotation.
    replaces: str | None = None
    #: Last call, to the minute.
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A customer holds a plan version since ``starts_at``, until ``ends_at`` where it ended or will end.

    Spans of one customer never overlap. A paused span keeps the plan, costs no fee and admits no call.
    """

    id: str
    customer: str
    plan: str
    plan_version: str
    starts_at: datetime
    ends_at: datetime | None
    #: First span of the same holding; spans with one root share tiers, included quantities and fees.
    root: str = ""
    #: "active" or "paused".
    state: str = "active"


@dataclass(slots=True, unsafe_hash=True)
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


@dataclass(slots=True, unsafe_hash=True)
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


@dataclass(slots=True, unsafe_hash=True)
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
    #: "ok" or "abstained"; what a charge can name.
    state: str = "ok"
    pixels: int = 0
    characters: int = 0
    tokens: int = 0
    explanations: int = 0
    #: From the request's arrival to its settlement, as the caller waited.
    wall_ms: Decimal = Decimal(0)
    #: The answer's bytes, kept only where an idempotency key came with the call.
    answer: bytes | None = None


@dataclass(slots=True, unsafe_hash=True)
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
    state: str = ""
    pixels: int = 0
    characters: int = 0
    tokens: int = 0
    explanations: int = 0
    wall_ms: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Deployment:
    """Which release (and variant of the model) a public name serves since when; the newest row counts."""

    name: str
    release: str
    model: str
    variant: str | None
    at: datetime
