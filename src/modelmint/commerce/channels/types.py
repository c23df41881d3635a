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
    #: Numbers of the invoices and credit notes booked or reversed in the period.
    invoices: tuple[int, ...]
    net: Money
    share: Money
    #: Of what was billed, what is to be paid: with tax, less prepaid credit.
    due: Money


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
    #: The partner's commission or margin.
    share: Money
    #: Wholesale: what the partner owes us, what is due from its customers less its margin; nothing with commission.
    owed: Money
    #: When the share was booked; None while it can still change.
    closed_at: datetime | None
    #: What was paid out on it so far.
    paid: Money


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel's sign-ups and money in a period, one currency, from the ledger."""

    channel: str
    currency: str
    #: Of the channel, whatever the currency: the same in each of its rows.
    signups: int
    #: That earned something in this currency.
    customers: int
    revenue: Money
    cost: Money
    commission: Money
    margin: Money
