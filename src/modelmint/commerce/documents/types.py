"""The nouns of documents: an invoice with all that a reader needs beside it."""

from __future__ import annotations

from dataclasses import dataclass

from modelmint.commerce.billing.types import Invoice


@dataclass(frozen=True, slots=True)
class Party:
    """Whom a document names: who sells, who buys. The buyer's can be erased; the invoice stands without."""

    name: str = ""
    address: str = ""
    tax_id: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """An invoice to be shown. ``status`` is where it stands: "" for a draft, else "finalised", "paid", "void" ..."""

    invoice: Invoice
    status: str = ""
    buyer: Party = Party()
    seller: Party = Party()


@dataclass(frozen=True, slots=True)
class Row:
    """A line of an invoice in the reader's language, with its arithmetic."""

    description: str
    quantity: str
    price: str
    amount: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A paper in one language: nothing but texts, for whatever lays them out."""

    language: str
    title: str
    status: str
    #: (label, text) in order.
    facts: tuple[tuple[str, str], ...]
    seller_label: str
    seller: tuple[str, ...]
    buyer_label: str
    buyer: tuple[str, ...]
    #: Description, quantity, unit price, amount.
    headings: tuple[str, str, str, str]
    rows: tuple[Row, ...]
    #: (label, amount, True for the sums that count).
    sums: tuple[tuple[str, str, bool], ...]
    notes: tuple[str, ...]
