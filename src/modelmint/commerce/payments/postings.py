"""Double entry of money taken and given back. Debit is positive."""

from __future__ import annotations

from datetime import datetime

from modelmint.commerce.ledger.postings import receivable, transaction
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.commerce.payments.types import Attempt
from modelmint.kit.money import Money


def cash(provider: str) -> str:
    """The account of money that lies at a provider."""
    return f"cash:{provider}"


def fees(provider: str) -> str:
    """The account of what a provider kept."""
    return f"fees:{provider}"


def payment(attempt: Attempt, customer: str, amount: Money, fee: Money | None, at: datetime) -> list[LedgerEntry]:
    """Money came: the customer owes it no more; the fee is paid out of it."""
    data = {"invoice": attempt.invoice, "attempt": attempt.id}
    legs = [(cash(attempt.provider), amount, data), (receivable(customer), -amount, data)]
    if fee is not None:
        legs += [(fees(attempt.provider), fee, data), (cash(attempt.provider), -fee, data)]
    return transaction(_name(attempt), at, "payment", legs)


def refund(attempt: Attempt, customer: str, before: Money, after: Money, at: datetime) -> list[LedgerEntry]:
    """Money went back: it is owed again until a credit note says otherwise. ``before``, ``after``: all so far."""
    data = {"invoice": attempt.invoice, "attempt": attempt.id}
    amount = after - before
    legs = [(receivable(customer), amount, data), (cash(attempt.provider), -amount, data)]
    return transaction(f"{_name(attempt)}_r{after.minor}", at, "refund", legs)


def _name(attempt: Attempt) -> str:
    return f"txn_{attempt.id.removeprefix('att_')}"
