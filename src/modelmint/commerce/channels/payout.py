"""Paying a partner what a closed statement says that it is owed: how much may be paid, and how it is booked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from modelmint.commerce.channels.codes import WHOLESALE
from modelmint.commerce.channels.errors import BadPayOut, NothingOwed, PayOutTooLarge, StatementNotClosed
from modelmint.commerce.channels.statement import payable
from modelmint.commerce.channels.types import Partner, PartnerStatement
from modelmint.commerce.ledger.postings import transaction
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.kit.digest import digest_bytes
from modelmint.kit.money import Money
from modelmint.kit.period import Period

#: Where the money leaves us: paid by hand, as invoices that were paid by hand are.
CASH = "cash:manual"
LONGEST_REFERENCE = 100


@dataclass(frozen=True, slots=True)
class PayOut:
    """One sum to be paid on one statement."""

    #: Name of its transaction: the same pay-out has the same name, and is booked once.
    name: str
    amount: Money


def prefix_of(partner: str, period: Period, currency: str) -> str:
    """What the names of all transactions begin with that pay out one statement."""
    return f"txn_pay_{partner.removeprefix('par_')}_{period.start:%Y%m}_{currency}_"


def name_of(partner: str, period: Period, currency: str, reference: str) -> str:
    """The one name that a pay-out under ``reference`` can have."""
    return prefix_of(partner, period, currency) + digest_bytes(reference.encode())[:16]


def check_asked(amount: Money | None, reference: str) -> None:
    """Raises ``BadPayOut`` with every problem."""
    problems = []
    if amount is not None and amount.minor <= 0:
        problems.append(f"expected an amount above zero, found {amount}")
    if len(reference) > LONGEST_REFERENCE or not reference.isprintable():
        problems.append(f"expected a reference of at most {LONGEST_REFERENCE} characters on one line")
    if problems:
        raise BadPayOut("this cannot be paid out so", problems=problems)


def chosen(statements: Sequence[PartnerStatement], period: Period, amount: Money | None) -> list[PartnerStatement]:
    """The statements to be paid: that of the amount's currency, or all. Raises ``NothingOwed``."""
    found = [one for one in statements if amount is None or one.currency == amount.currency]
    if not found:
        raise NothingOwed(f"the partner earned nothing in {period.start:%Y-%m}; there is nothing to pay out")
    return found


def owed_on(statement: PartnerStatement) -> int:
    """Minor units of a statement that are to be paid out, and are not yet.

    What a wholesale partner owes us for the month is taken off: it keeps its margin from what its customers pay it.
    """
    due = statement.share.minor if statement.terms != WHOLESALE else max(-statement.owed.minor, 0)
    return max(due - statement.paid.minor, 0)


def pay_out_of(statement: PartnerStatement, balance: int, amount: Money | None, name: str) -> PayOut | None:
    """What is paid on ``statement``; None where nothing is left of it and no amount was asked for.

    ``balance``: minor units that we owe the partner in all; a month in which more was voided than earned lowers it.
    Raises ``StatementNotClosed``, ``PayOutTooLarge``.
    """
    month = f"{statement.period.start:%Y-%m}"
    if statement.closed_at is None:
        raise StatementNotClosed(f"the statement of {month} can still change; close it first")
    left = max(min(owed_on(statement), balance), 0)
    if amount is None:
        return PayOut(name, Money(left, statement.currency)) if left else None
    if amount.minor > left:
        most = Money(left, statement.currency)
        raise PayOutTooLarge(
            f"{most} of the statement of {month} are owed and not paid out yet; {amount} is more than that",
            details={"owed": str(most)},
        )
    return PayOut(name, amount)


def postings(
    partner: Partner, statement: PartnerStatement, paid: PayOut, reference: str, at: datetime
) -> list[LedgerEntry]:
    """What the partner was owed left our hands."""
    month = f"{statement.period.start:%Y-%m}"
    data = {"partner": partner.id, "month": month, "reference": reference}
    legs = [(payable(partner.id), paid.amount, data), (CASH, -paid.amount, data)]
    return transaction(paid.name, at, f"pay-out {month}", legs)
