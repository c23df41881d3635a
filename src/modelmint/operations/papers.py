"""An invoice with all that a reader needs beside it: whom it names, where it stands, who sells."""

from __future__ import annotations

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.documents.types import Paper, Party
from modelmint.commerce.repository import Books


def paper(books: Books, invoice: Invoice, seller: Party) -> Paper:
    """A draft has no status and names the customer as it is now; a finalised one as it was then, unless erased."""
    if not invoice.number:
        now = books.customer(invoice.customer)
        return Paper(invoice, "", Party(now.name, now.address, now.tax_id, now.email), seller)
    status = books.bills.status(invoice.id).status
    return Paper(invoice, status, books.journal.party(invoice.id), seller)
