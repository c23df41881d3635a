"""What channels needs stored; ``store`` implements it."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from modelmint.commerce.channels.types import ChannelRow, Partner, PartnerStatement, Referral
from modelmint.commerce.types import Customer
from modelmint.kit.money import Money
from modelmint.kit.period import Period


class Channels(Protocol):
    """Partners, referral codes, statements.

    ``partner`` is the id of a partner, or the id or name of its customer. What a partner is not to see is unknown:
    the refusal is the same for somebody else's customer and for none.
    """

    def add_partner(self, customer: str, terms: str, rate: Decimal | str) -> Partner:
        """Make a customer a partner. Raises ``UnknownCustomer``, ``PartnerExists``, ``BadTerms``."""
        ...

    def partners(self) -> list[Partner]:
        """In the order of their coming."""
        ...

    def partner(self, wanted: str) -> Partner:
        """Raises ``UnknownPartner``."""
        ...

    def partner_of(self, customer: str) -> Partner:
        """The partner that this customer (an id) is; raises ``NotAPartner``."""
        ...

    def customers(self, partner: str) -> list[Customer]:
        """The end customers of a partner."""
        ...

    def customer(self, partner: str, wanted: str) -> Customer:
        """One of them by id or exact name; raises ``UnknownCustomer``."""
        ...

    def add_customer(self, partner: str, name: str, email: str, *, referral: str | None = None) -> Customer:
        """An end customer of the partner; ``referral`` is one of its own codes.

        Raises ``BadName``, ``CustomerExists`` (among its own), ``UnknownReferral``.
        """
        ...

    def add_referral(self, code: str, channel: str, partner: str | None = None) -> Referral:
        """Raises ``BadReferral``, ``ReferralExists``, ``UnknownPartner``."""
        ...

    def referrals(self, partner: str | None = None) -> list[Referral]:
        """Oldest first, withdrawn ones too."""
        ...

    def withdraw_referral(self, code: str) -> Referral:
        """Nobody comes with it any more; who came stays attributed. Raises ``UnknownReferral``."""
        ...

    def statement(self, partner: str, period: Period) -> list[PartnerStatement]:
        """One per currency, from the ledger; as it was booked where it is closed."""
        ...

    def close_statement(self, partner: str, period: Period) -> list[PartnerStatement]:
        """Book what the partner earned in a period that has ended, once. Raises ``StatementNotOver``."""
        ...

    def pay_out(
        self, partner: str, period: Period, amount: Money | None = None, reference: str = ""
    ) -> list[PartnerStatement]:
        """Note that a closed statement was paid out by hand: ``amount``, or all that is left of it; the statements.

        Twice under one reference is once. Never more than the partner is owed, on the statement and in all. Raises
        ``StatementNotClosed``, ``NothingOwed``, ``PayOutTooLarge``, ``PayOutExists``, ``BadPayOut``.
        """
        ...

    def report(self, period: Period) -> list[ChannelRow]:
        """Sign-ups, revenue, cost, commission and margin of each channel, one row per currency."""
        ...
