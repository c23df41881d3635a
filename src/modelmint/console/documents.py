"""Invoices as documents, in the reader's language."""

from __future__ import annotations

import base64
import hashlib
import re

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.documents.invoice_html import paper_html
from modelmint.commerce.documents.invoice_pdf import paper_pdf
from modelmint.commerce.documents.sheet import sheet
from modelmint.commerce.documents.types import Paper, Party, Sheet
from modelmint.console.answers import Asked

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def shown(asked: Asked, invoice: Invoice, status: str = "") -> Sheet:
    """An invoice as texts that a page lays out."""
    return sheet(Paper(invoice, status), asked.words.language)


def as_pdf(asked: Asked, invoice: Invoice) -> bytes:
    """Raises ``MissingExtra`` where the shop cannot print."""
    return paper_pdf(_paper(asked, invoice), asked.words.language)


def as_html(asked: Asked, invoice: Invoice) -> tuple[bytes, str]:
    """The document, and a policy that lets its own style sheet apply and nothing else."""
    page = paper_html(_paper(asked, invoice), asked.words.language)
    digests = [hashlib.sha256(style.encode()).digest() for style in _STYLE.findall(page)]
    styles = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return page.encode(), f"default-src 'none'; style-src {styles}; frame-ancestors 'none'; base-uri 'none'"


def _paper(asked: Asked, invoice: Invoice) -> Paper:
    buyer = asked.books.customer(invoice.customer)
    return Paper(
        invoice,
        asked.books.bills.status(invoice.id).status,
        Party(buyer.name, buyer.address, buyer.tax_id, buyer.email),
        Party(asked.shop.name),
    )
