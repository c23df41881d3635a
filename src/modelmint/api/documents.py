"""An invoice over HTTP in the form that was asked for: JSON, text, a page or a PDF."""

from __future__ import annotations

from typing import Any

from modelmint.api.errors import BadQuery
from modelmint.api.problems import Headers
from modelmint.api.routing import Asked, Reply, echo
from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.documents import invoice_json
from modelmint.commerce.documents.invoice_html import page_policy, paper_html
from modelmint.commerce.documents.invoice_text import paper_text
from modelmint.commerce.documents.words import LANGUAGES
from modelmint.commerce.errors import UnknownInvoice
from modelmint.operations.papers import paper

FORMS = ("json", "text", "html", "pdf")


def shown(found: Invoice, asked: Asked) -> Any:
    """``?format=json|text|html|pdf&lang=en|zh``."""
    form = asked.query.get("format", "json")
    if form not in FORMS:
        raise BadQuery(f"expected format={'|'.join(FORMS)}, found {echo(form)}")
    language = language_asked(asked)
    if form == "json":
        return invoice_json.to_json(found)
    shop = asked.service.shop
    told = paper(shop.books, found, shop.seller)
    if form == "text":
        return Reply(paper_text(told, language).encode(), headers=[(b"content-type", b"text/plain; charset=utf-8")])
    if form == "html":
        page = paper_html(told, language)
        policy = (b"content-security-policy", page_policy(page).encode())
        return Reply(page.encode(), headers=[(b"content-type", b"text/html; charset=utf-8"), policy])
    name = f'inline; filename="{told.invoice.kind}-{told.invoice.number}.pdf"'.encode()
    headers: Headers = [(b"content-type", b"application/pdf"), (b"content-disposition", name)]
    return Reply(shop.printer.print(told, language), headers=headers)


def own_invoice(asked: Asked) -> Invoice:
    """The caller's invoice that the path names; another's is answered like none, word by word."""
    wanted = asked.path["id"]
    unknown = UnknownInvoice(f"none of your invoices has the id or number {wanted[:80]!r}; see GET /v1/invoices")
    try:
        found = asked.service.shop.books.invoice(wanted)
    except UnknownInvoice:
        raise unknown from None
    if found.customer != asked.customer:
        raise unknown
    return found


def language_asked(asked: Asked) -> str:
    """``?lang=en|zh``."""
    wanted = asked.query.get("lang", "en")
    if wanted not in LANGUAGES:
        raise BadQuery(f"expected lang={'|'.join(LANGUAGES)}, found {echo(wanted)}")
    return wanted
