"""The nouns of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modelmint.kit.money import Money, UnitPrice


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One leg of a double-entry transaction; the legs of a ``transaction`` sum to zero."""

    id: str
    transaction: str
    account: str
    amount: Money
    at: datetime
    memo: str
    data: Mapping[str, Any]
    #: Position in the chain, 1 for the first; 0 before it is booked.
    seq: int = 0
    #: sha256 over the former entry's hash and this entry's canonical content (see ``chain``).
    hash: str = ""


@dataclass(frozen=True, slots=True)
class MachineCost:
    """What the machine time of an invoice's usage came to: calls that a release served, at its measured cost."""

    release: str
    calls: int
    #: From the release's own cost statement.
    unit_cost: UnitPrice


@dataclass(frozen=True, slots=True)
class Finding:
    """The first broken row, or one of several."""

    table: str
    row: str
    problem: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What ``ledger verify`` found; sound where there are no findings."""

    entries: int
    transactions: int
    invoices: int
    #: Hash of the last entry, "" for an empty ledger.
    head: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """All that the ledger holds of one invoice, cut out so that it can be checked alone. No personal data."""

    invoice: str
    plan: str
    plan_version: str
    #: Hash of the entry before the first one here.
    former: str
    #: The canonical text that the invoice was computed from.
    inputs: str
    entries: tuple[LedgerEntry, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """An invoice made again from a segment, its plan version and its releases, beside what was booked."""

    invoice: str
    number: int
    #: sha256 of the body made now, and of the one that was booked.
    digest: str
    booked: str
    #: The body made now, canonical.
    body: str
    problems: tuple[str, ...]
    #: First line that differs: as it was booked, and as it comes out now.
    difference: tuple[str, str] | None = None

    @property
    def same(self) -> bool:
        """Byte for byte."""
        return not self.problems and self.difference is None and self.digest == self.booked
