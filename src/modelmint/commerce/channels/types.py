"""The nouns of partners and channels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from modelmint.kit.money import Money
from modelmint.kit.period import Period


@dataclass(frozen=True, slots=True)
class Partner:
    """Sells for the venture. Is a customer too, whose keys with scope ``partner`` see its end customers only."""

    id: str
    customer: str
    name: str
    #: "commission": we bill the end customer and owe ``rate`` of the net; "wholesale": the partner owes us
    #: retail less ``rate`` (its margin) and bills the end customer itself.
    terms: str
    rate: Decimal
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Referral:
    """A code that attributes a sign-up to a channel, and to a partner where it has one."""

    code: str
    channel: str
    partner: str | None
    created_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One end customer on a partner's statement."""

    customer: str
    invoices: tuple[int, ...]
    net: Money
    share: Money


@dataclass(frozen=True, slots=True)
class PartnerStatement:
    """What a partner earned in a period, from the ledger; one per currency."""

    partner: str
    period: Period
    currency: str
    terms: str
    rate: Decimal
    lines: tuple[StatementLine, ...]
    net: Money
    share: Money


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel's sign-ups and money in a period, one currency, from the ledger."""

    channel: str
    currency: str
    signups: int
    customers: int
    revenue: Money
    cost: Money
    commission: Money
    margin: Money
