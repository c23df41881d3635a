"""An invoice as PDF, printed from its HTML."""

from __future__ import annotations

from modelmint.commerce.documents.invoice_html import paper_html
from modelmint.commerce.documents.types import Paper
from modelmint.kit.pdf import pdf_of


def paper_pdf(paper: Paper, language: str = "en") -> bytes:
    """A whole document; raises ``UnknownLanguage``, ``MissingExtra``."""
    return pdf_of(paper_html(paper, language), "an invoice")
