"""Invoices, what they are made of, and the credit that pays them. Money is minor units or ``Decimal``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from modelmint.commerce.metering.types import Cell, Distinct
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.kit.money import Money
from modelmint.kit.period import Period


@dataclass(frozen=True, slots=True)
class Invoice:
    """Finalised and immutable; ``number`` is gapless within the venture, 0 in a draft.

    ``lines`` sum to ``subtotal``; ``subtotal`` + ``tax`` = ``total``; ``total`` - ``credit`` = ``due``.
    """

    id: str
    number: int
    customer: str
    #: For reading only: kept outside the frozen body, so that a person can be forgotten and the books stand.
    customer_name: str
    period: Period
    currency: str
    lines: tuple[InvoiceLine, ...]
    subtotal: Money
    tax: Money
    total: Money
    #: Prepaid credit burnt on this invoice, as (grant id, amount) in the order of burning.
    burns: tuple[tuple[str, Money], ...]
    credit: Money
    due: Money
    tax_rate: Decimal
    subscription: str
    plan: str
    plan_version: str
    notice: str
    finalised_at: datetime
    #: "invoice", or "credit_note": then amounts are negative and ``corrects`` is the number of the invoice.
    kind: str = "invoice"
    corrects: int | None = None
    reason: str = ""
    #: Releases that served the usage on it, sorted.
    releases: tuple[str, ...] = ()
    #: What the tax is called ("VAT"); "" where there is none.
    tax_name: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceStatus:
    """Where an invoice stands now: finalised, paid, void, uncollectible; derived from append-only events."""

    invoice: str
    status: str
    at: datetime
    #: (status, at, data) oldest first.
    history: tuple[tuple[str, datetime, Mapping[str, Any]], ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A span in which a subscription was held and not paused; ``end`` None where it goes on."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class GrantBalance:
    """What is left of a prepaid credit grant before this invoice."""

    id: str
    left: Money
    priority: int
    expires_at: datetime | None
    granted_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What the recorded outcomes say of a promise, over one billing period."""

    #: Calls that count for availability (customer's own faults left out), and those that failed on our side.
    calls: int
    failed: int
    #: Nearest-rank p99 of wall time of successful calls, milliseconds; None without calls.
    p99_ms: Decimal | None


@dataclass(frozen=True, slots=True)
class BillingInputs:
    """All that an invoice depends on besides its plan version. Frozen beside it: replay needs nothing else."""

    id: str
    number: int
    finalised_at: datetime
    customer: str
    #: Root subscription: resumed and re-taken holdings of one plan version in one period share it.
    subscription: str
    plan: str
    plan_version: str
    #: Day of the month on which billing periods begin.
    anchor: int
    #: What this invoice covers, inside ``period``, the billing period.
    part: Period
    period: Period
    #: First moment of the first holding of the root: years of a yearly fee count from it.
    since: datetime
    held: tuple[Held, ...]
    #: True where the part ends the billing period: commitments fall due.
    last: bool
    cells: tuple[Cell, ...]
    distinct: tuple[Distinct, ...]
    grants: tuple[GrantBalance, ...]
    tax_rate: Decimal
    tax_name: str
    notice: str
    kept: Kept | None
    releases: tuple[str, ...]
    #: First moments of earlier billing periods whose minimum stands on an invoice that was made void.
    forgiven: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """Prepaid credit given to a customer. Append-only; what is left is derived from burns."""

    id: str
    customer: str
    amount: Money
    #: Burnt in the order: lower priority number, earlier expiry (none last), earlier grant, id.
    priority: int
    expires_at: datetime | None
    #: "purchase", "promotion", "service_credit", "credit_note".
    source: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Something that will happen to what a customer holds."""

    at: datetime
    #: "change", "pause", "resume", "cancel", "subscribe" (nothing is held before it).
    what: str
    plan: str
    plan_version: str


@dataclass(frozen=True, slots=True)
class GrantLeft:
    """A grant with what is left of it now."""

    grant: Grant
    left: Money
    #: True from the moment at which it can pay for nothing more.
    expired: bool


@dataclass(frozen=True, slots=True)
class BillingDetails:
    """What can be set of a customer; None leaves it as it is."""

    tax_rate: Decimal | None = None
    tax_name: str | None = None
    tax_id: str | None = None
    address: str | None = None
    language: str | None = None
    anchor: int | None = None


@dataclass(frozen=True, slots=True)
class ClosingFailure:
    """A customer whose ended periods could not be billed; the books are as they were for it."""

    customer: str
    #: Of the error; ``internal_error`` for one that is not raised on purpose.
    code: str
    message: str
    #: Stored data is not what it was.
    corrupted: bool


@dataclass(frozen=True, slots=True)
class ClosedDue:
    """What closing all ended periods made, and whom it failed for."""

    invoices: tuple[Invoice, ...]
    failed: tuple[ClosingFailure, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change of subscription would do, computed and not stored."""

    #: The drafts up to the end of the billing period that holds ``at`` if it were closed then with no more usage: as
    #: it is, and changed.
    now: tuple[Invoice, ...]
    changed: tuple[Invoice, ...]
    at: datetime
    #: Sum of ``changed`` less sum of ``now``, with tax; None where currencies differ or nothing is priced.
    difference: Money | None
    #: Why the customer cannot have it at that moment (``OnlyAtPeriodEnd``); "" where it can.
    refused: str = ""
