"""Double entry: what an invoice books. The legs of every transaction sum to zero; balances are derived."""

from __future__ import annotations

from collections.abc import Iterable

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.errors import Unbalanced
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.kit.ids import new_id
from modelmint.kit.money import Money


def receivable(customer: str) -> str:
    """The account of what a customer owes."""
    return f"receivable:{customer}"


def revenue(plan: str, kind: str) -> str:
    """The account of what a plan earned with one price model."""
    return f"revenue:{plan}:{kind}"


def postings(invoice: Invoice) -> list[LedgerEntry]:
    """The legs of a finalised invoice: the customer owes the total, each line is revenue.

    Debit is positive. Legs of nothing are left out; an invoice over zero books nothing.
    """
    transaction = new_id("txn")
    memo = f"invoice {invoice.number}"
    data = {"invoice": invoice.id, "number": invoice.number}
    legs = [(receivable(invoice.customer), invoice.total, data)]
    legs += [
        (revenue(invoice.plan, line.kind), -line.amount, {**data, "line": position})
        for position, line in enumerate(invoice.lines)
    ]
    entries = [
        LedgerEntry(new_id("leg"), transaction, account, amount, invoice.finalised_at, memo, extra)
        for account, amount, extra in legs
        if amount.minor != 0
    ]
    check_balanced(entries)
    return entries


def check_balanced(entries: Iterable[LedgerEntry]) -> None:
    """Raise ``Unbalanced`` naming every transaction whose legs do not sum to zero in each currency."""
    sums: dict[tuple[str, str], int] = {}
    for entry in entries:
        key = (entry.transaction, entry.amount.currency)
        sums[key] = sums.get(key, 0) + entry.amount.minor
    wrong = [f"{name}: {Money(minor, currency)}" for (name, currency), minor in sums.items() if minor]
    if wrong:
        raise Unbalanced("every ledger transaction sums to zero; these do not", problems=wrong)


def balances(entries: Iterable[LedgerEntry]) -> dict[tuple[str, str], Money]:
    """(account, currency) -> balance."""
    found: dict[tuple[str, str], Money] = {}
    for entry in entries:
        key = (entry.account, entry.amount.currency)
        found[key] = found.get(key, Money(0, entry.amount.currency)) + entry.amount
    return found
