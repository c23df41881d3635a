"""Double entry: what an invoice books. The legs of every transaction sum to zero; balances are derived.

Debit is positive. Names of legs and transactions follow from the invoice, so that replay makes the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.documents.invoice_json import canonical
from modelmint.commerce.errors import Unbalanced
from modelmint.commerce.ledger.types import LedgerEntry, MachineCost
from modelmint.kit.digest import digest_bytes
from modelmint.kit.money import Money

#: One leg before it is booked: account, amount (debit positive), data.
Leg = tuple[str, Money, Mapping[str, Any]]


def receivable(customer: str) -> str:
    """The account of what a customer owes."""
    return f"receivable:{customer}"


def revenue(plan: str, kind: str) -> str:
    """The account of what a plan earned with one price model or billing step."""
    return f"revenue:{plan}:{kind}"


def credit(customer: str) -> str:
    """The account of prepaid credit that a customer has not used yet."""
    return f"credit:{customer}"


def tax(name: str) -> str:
    """The account of tax collected under one name ("VAT")."""
    return f"tax:{name or 'tax'}"


def transaction(name: str, at: datetime, memo: str, legs: Iterable[Leg]) -> list[LedgerEntry]:
    """The entries of one transaction, named after it; checked to balance. Legs of nothing are left out."""
    kept = [leg for leg in legs if leg[1].minor]
    return _entries(name, at, memo, kept)


def invoice_transaction(invoice: str) -> str:
    """The name of the transaction that books an invoice (its id)."""
    return f"txn_{invoice.removeprefix('inv_')}"


def postings(
    invoice: Invoice, inputs: str | None = None, costs: Sequence[MachineCost] = (), body: bytes | None = None
) -> list[LedgerEntry]:
    """The legs of a finalised invoice or credit note.

    The customer owes what is due, prepaid credit pays the rest, each line is revenue, tax is owed on. The first leg
    is booked even over nothing: it carries the digest of the invoice's body and of ``inputs``, the canonical text
    that it was computed from. ``costs`` is what the usage on it cost, by release. ``body`` is the invoice's canonical
    body, where the caller has it already.
    """
    data = {"invoice": invoice.id, "number": invoice.number}
    proof = {**data, "digest": digest_bytes(body or canonical(invoice))}
    if inputs is not None:
        proof["inputs"] = digest_bytes(inputs.encode())
    legs: list[Leg] = [(credit(invoice.customer), invoice.total - invoice.due, data)]
    legs += [
        (revenue(invoice.plan, line.kind), -line.amount, {**data, "line": position})
        for position, line in enumerate(invoice.lines)
    ]
    legs.append((tax(invoice.tax_name), -invoice.tax, data))
    for cost in costs:
        spent = cost.unit_cost.times(cost.calls)
        told = {**data, "release": cost.release, "calls": cost.calls, "unit_cost": str(cost.unit_cost)}
        legs += [("cost:machine", spent, told), ("accrued:machine", -spent, told)]
    kept = [(receivable(invoice.customer), invoice.due, proof), *(leg for leg in legs if leg[1].minor)]
    memo = f"{invoice.kind.replace('_', ' ')} {invoice.number}"
    return _entries(invoice_transaction(invoice.id), invoice.finalised_at, memo, kept)


def reversal(entries: Sequence[LedgerEntry], name: str, at: datetime, memo: str) -> list[LedgerEntry]:
    """The transaction ``name`` that undoes ``entries`` leg by leg, pointing at what it undoes."""
    return transaction(
        name,
        at,
        memo,
        [(entry.account, -entry.amount, {**_without_proof(entry.data), "reverses": entry.id}) for entry in entries],
    )


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


def _entries(name: str, at: datetime, memo: str, legs: Sequence[Leg]) -> list[LedgerEntry]:
    entries = [
        LedgerEntry(f"{name}_{position}", name, account, amount, at, memo, data)
        for position, (account, amount, data) in enumerate(legs)
    ]
    check_balanced(entries)
    return entries


def _without_proof(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in ("digest", "inputs")}
