"""Invoices: a customer's and everybody's, one with its arithmetic, the draft of what is not billed yet."""

from __future__ import annotations

from starlette.routing import Route

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.documents.invoice_text import explain
from modelmint.commerce.errors import UnknownInvoice
from modelmint.console.answers import Answer, Asked, Go, Page
from modelmint.console.page import Console, about_one, page
from modelmint.console.pages.customers import about
from modelmint.console.pages.usage import period_of


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        *about_one(console, "/invoices", GET=invoices),
        page(console, "/customers/{customer}/close", "founder", POST=close),
        page(console, "/invoices", "founder", GET=everyones),
        page(console, "/invoices/{invoice}", "founder", GET=invoice),
        page(console, "/my/invoices/{invoice}", "customer", GET=invoice),
    ]


def invoices(asked: Asked) -> Answer:
    """What is on the way, then what was billed, newest first."""
    frame = about(asked)
    customer = asked.books.customer(asked.customer)
    drafts = asked.books.draft_period(customer.id, period_of(asked, customer), asked.shop.notice)
    rows = list(reversed(asked.books.invoices(customer.id)))
    return Page("invoices.html", {**frame, "drafts": [lined(asked, draft) for draft in drafts], "rows": rows})


def everyones(asked: Asked) -> Answer:
    """All invoices, newest first."""
    return Page("all_invoices.html", {"rows": list(reversed(asked.books.invoices(None)))})


def invoice(asked: Asked) -> Answer:
    """One, with its arithmetic."""
    return Page("invoice.html", {"shown": lined(asked, found(asked))})


def found(asked: Asked) -> Invoice:
    """The invoice of the path; another customer's is unknown to a customer."""
    if asked.founder:
        return asked.books.invoice(asked.path["invoice"])
    for invoice in asked.books.invoices(asked.session.customer):
        if asked.path["invoice"] in (invoice.id, str(invoice.number)):
            return invoice
    raise UnknownInvoice(f"no invoice {asked.path['invoice'][:80]!r}")


def lined(asked: Asked, invoice: Invoice) -> dict[str, object]:
    """An invoice and its lines, each with how it came about in the reader's language."""
    return {"invoice": invoice, "lines": [(line, explain(line, asked.words.language)) for line in invoice.lines]}


def close(asked: Asked) -> Answer:
    """Bill what was used so far."""
    customer = asked.books.customer(asked.customer)
    asked.books.close_period(customer.id, period_of(asked, customer), asked.shop.notice, until_now=True)
    return Go(f"{asked.home}/invoices", said="said.closed")
