"""An invoice as plain text with its arithmetic, in English or Chinese, to print or to mail."""

from __future__ import annotations

import unicodedata

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.documents.sheet import said, sheet
from modelmint.commerce.documents.types import Paper, Sheet
from modelmint.commerce.documents.words import LANGUAGES
from modelmint.commerce.rating.types import InvoiceLine

__all__ = ["LANGUAGES", "explain", "paper_text", "render"]
WIDTH = 78


def render(invoice: Invoice, language: str = "en") -> str:
    """Plain text, at most 78 columns where the names allow it; raises ``UnknownLanguage``."""
    return paper_text(Paper(invoice), language)


def explain(line: InvoiceLine, language: str = "en") -> str:
    """The arithmetic of ``line`` in ``language``."""
    return said(line, language)[1]


def paper_text(paper: Paper, language: str = "en") -> str:
    """The same with seller, buyer and status where they are known."""
    shown = sheet(paper, language)
    rule = "-" * WIDTH
    parts = [shown.title, "", *_parties(paper, shown), *_facts(shown), "", _row(*shown.headings), rule]
    for row in shown.rows:
        parts += [_row(row.description, row.quantity, row.price, row.amount), f"    {row.explanation}"]
    parts += [rule, *(_row(label, "", "", amount) for label, amount, _ in shown.sums)]
    if shown.notes:
        parts += ["", *shown.notes]
    return "\n".join(part.rstrip() for part in parts) + "\n"


def _parties(paper: Paper, shown: Sheet) -> list[str]:
    """Addresses only where one is known; the name of the customer stands among the facts anyway."""
    found = []
    for label, lines, known in (
        (shown.seller_label, shown.seller, bool(shown.seller)),
        (shown.buyer_label, shown.buyer, bool(paper.buyer.address or paper.buyer.tax_id)),
    ):
        if known:
            found += [label, *(f"    {line}" for line in lines), ""]
    return found


def _facts(shown: Sheet) -> list[str]:
    widest = max(_columns(name) for name, _ in shown.facts)
    return [f"{_pad(name, widest)}  {value}" for name, value in shown.facts]


def _row(description: str, quantity: str, price: str, amount: str) -> str:
    return _pad(description, 36) + " " + _lead(quantity, 9) + " " + _lead(price, 15) + " " + _lead(amount, 15)


def _columns(text: str) -> int:
    """Columns on a terminal; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _pad(text: str, columns: int) -> str:
    return text + " " * (columns - _columns(text))


def _lead(text: str, columns: int) -> str:
    return " " * (columns - _columns(text)) + text
