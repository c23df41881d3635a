"""Reading the ledger by customer: what each transaction says of whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from modelmint.commerce.ledger.types import LedgerEntry

_OF_CUSTOMER = ("receivable:", "credit:")


@dataclass(frozen=True, slots=True)
class Movement:
    """One transaction of one customer."""

    customer: str
    #: Number of the invoice or credit note that it books or reverses; None for a payment or a grant.
    invoice: int | None
    entries: tuple[LedgerEntry, ...]

    def sum(self, *prefixes: str) -> int:
        """Minor units on the accounts that begin so; debit positive. One transaction has one currency of sale."""
        return sum(entry.amount.minor for entry in self.entries if entry.account.startswith(prefixes))

    @property
    def currency(self) -> str:
        """What the customer pays in."""
        return next(entry for entry in self.entries if entry.account.startswith(_OF_CUSTOMER)).amount.currency

    @property
    def earns(self) -> bool:
        """Whether revenue moved."""
        return any(entry.account.startswith("revenue:") for entry in self.entries)


def movements(entries: Iterable[LedgerEntry]) -> Iterator[Movement]:
    """Transactions that belong to a customer, in the order of booking; ``entries`` are in that order too."""
    for _, legs in groupby(entries, key=lambda entry: entry.transaction):
        found = tuple(legs)
        owners = {_customer(entry) for entry in found if entry.account.startswith(_OF_CUSTOMER)}
        if len(owners) == 1:  # a statement moves what several owe: it earns nothing, it is read by its own legs
            number = next((entry.data["number"] for entry in found if "number" in entry.data), None)
            yield Movement(owners.pop(), number, found)


def _customer(entry: LedgerEntry) -> str:
    return entry.account.split(":", 1)[1]
