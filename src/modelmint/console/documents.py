"""Invoices as documents, in the reader's language."""

from __future__ import annotations

from concurrent.futures import Future

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.documents.invoice_html import page_policy, paper_html
from modelmint.commerce.documents.sheet import sheet
from modelmint.commerce.documents.types import Paper, Sheet
from modelmint.console.answers import Asked
from modelmint.operations.papers import paper


def shown(asked: Asked, invoice: Invoice) -> Sheet:
    """An invoice as texts that a page lays out."""
    return sheet(_paper(asked, invoice), asked.words.language)


def as_pdf(asked: Asked, invoice: Invoice) -> Future[bytes]:
    """Some time later, or ``MissingExtra`` where the shop cannot print; raises ``PrinterBusy``."""
    return asked.shop.printer.print(_paper(asked, invoice), asked.words.language)


def as_html(asked: Asked, invoice: Invoice) -> tuple[bytes, str]:
    """The document, and a policy that lets its own style sheet apply and nothing else."""
    page = paper_html(_paper(asked, invoice), asked.words.language)
    return page.encode(), page_policy(page)


def _paper(asked: Asked, invoice: Invoice) -> Paper:
    return paper(asked.books, invoice, asked.shop.seller)
