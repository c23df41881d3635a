"""A paper as texts in one language: what the text, HTML and PDF forms lay out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.documents import lines_zh
from modelmint.commerce.documents.figures import day, money, percent, price, quantity
from modelmint.commerce.documents.types import Paper, Party, Row, Sheet
from modelmint.commerce.documents.words import words_of
from modelmint.commerce.rating.types import InvoiceLine


def said(line: InvoiceLine, language: str) -> tuple[str, str]:
    """(description, arithmetic) of a line. English is frozen in the line; Chinese is made from its data."""
    words_of(language)
    if language == "zh" and line.kind in lines_zh.KINDS:
        return lines_zh.KINDS[line.kind](line)
    return line.description, line.explanation


def sheet(paper: Paper, language: str) -> Sheet:
    """``paper`` in ``language``; raises ``UnknownLanguage``."""
    words, invoice = words_of(language), paper.invoice
    title = words[invoice.kind].format(number=invoice.number) if invoice.number else words["draft"]
    status = paper.status or ("finalised" if invoice.number else "draft")
    releases = [words["releases"].format(releases=", ".join(invoice.releases))] if invoice.releases else []
    return Sheet(
        language=language,
        title=title,
        status=words.get(f"status_{status}", status),
        facts=tuple(_facts(paper, words, status)),
        seller_label=words["seller"],
        seller=_lines(paper.seller, words),
        buyer_label=words["buyer"],
        buyer=_lines(paper.buyer, words) or ((invoice.customer_name,) if invoice.customer_name else ()),
        headings=(words["description"], words["quantity"], words["price"], words["amount"]),
        rows=tuple(_row(line, language) for line in invoice.lines),
        sums=tuple(_sums(invoice, words)),
        notes=tuple(note for note in (*releases, invoice.notice) if note),
    )


def _facts(paper: Paper, words: Mapping[str, str], status: str) -> Iterator[tuple[str, str]]:
    invoice = paper.invoice
    name = paper.buyer.name or invoice.customer_name
    yield words["customer"], f"{name} ({invoice.customer})" if name else invoice.customer
    start, end = day(invoice.period.start), day(invoice.period.end)
    yield words["period"], words["to"].format(start=start, end=end)
    yield words["plan"], words["version"].format(plan=invoice.plan, version=invoice.plan_version)
    if invoice.corrects is not None:
        yield words["corrects"], words["corrects_text"].format(number=invoice.corrects)
    if invoice.reason:
        yield words["reason"], invoice.reason
    if invoice.number:
        yield words["finalised"], day(invoice.finalised_at)
    if paper.status:
        yield words["status"], words.get(f"status_{status}", status)


def _lines(party: Party, words: Mapping[str, str]) -> tuple[str, ...]:
    tax_id = words["tax_id"].format(tax_id=party.tax_id) if party.tax_id else ""
    return tuple(line for line in (party.name, *party.address.splitlines(), party.email, tax_id) if line.strip())


def _row(line: InvoiceLine, language: str) -> Row:
    description, explanation = said(line, language)
    return Row(description, quantity(line.quantity), price(line.unit_price), money(line.amount), explanation)


def _sums(invoice: Invoice, words: Mapping[str, str]) -> Iterator[tuple[str, str, bool]]:
    plain = not invoice.tax.minor and not invoice.tax_rate and invoice.due == invoice.total
    if plain:
        yield words["total"], money(invoice.total), True
        return
    if invoice.tax.minor or invoice.tax_rate:
        yield words["subtotal"], money(invoice.subtotal), False
        name = invoice.tax_name or words["tax_name"]
        yield words["tax"].format(name=name, percent=percent(invoice.tax_rate)), money(invoice.tax), False
    yield words["total"], money(invoice.total), True
    for grant, amount in invoice.burns:
        yield words["credit"].format(grant=grant), money(-amount), False
    if invoice.credit.minor < 0:
        yield words["given_back"], money(-invoice.credit), False
    yield words["due"], money(invoice.due), True
