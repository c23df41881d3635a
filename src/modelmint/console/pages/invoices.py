"""Invoices: a customer's and everybody's, one with its arithmetic, the draft of what is not billed yet."""

from __future__ import annotations

from starlette.routing import Route

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.errors import UnknownInvoice
from modelmint.console.answers import Answer, Asked, Download, Go, Page
from modelmint.console.documents import as_html, as_pdf, shown
from modelmint.console.page import PLACE, Console, about_one, page
from modelmint.console.pages.customers import about
from modelmint.console.pages.usage import period_of
from modelmint.kit.period import month_of
from modelmint.operations import billing
from modelmint.operations.replay import replay_invoice

STATUSES = ("finalised", "paid", "void", "uncollectible")
PAGE_ROWS = 100


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        *about_one(console, "/invoices", GET=invoices),
        page(console, "/customers/{customer}/close", "founder", "/customers/{customer}/invoices", POST=close),
        page(console, "/invoices", "founder", GET=everyones),
        page(console, "/invoices/close", "founder", "/invoices", POST=close_due),
        page(console, "/invoices/{invoice}", "founder", GET=invoice),
        page(console, "/invoices/{invoice}/pay", "founder", "/invoices/{invoice}", POST=pay),
        page(console, "/invoices/{invoice}/void", "founder", "/invoices/{invoice}", POST=void),
        page(console, "/invoices/{invoice}/give-up", "founder", "/invoices/{invoice}", POST=give_up),
        page(console, "/invoices/{invoice}/credit-note", "founder", "/invoices/{invoice}", POST=credit_note),
        page(console, "/invoices/{invoice}/replay", "founder", "/invoices/{invoice}", POST=replay),
        page(console, "/invoices/{invoice}/pdf", "founder", GET=pdf),
        page(console, "/invoices/{invoice}/print", "founder", GET=printed),
        page(console, "/my/invoices/{invoice}", "customer", GET=invoice),
        page(console, "/my/invoices/{invoice}/pdf", "customer", GET=pdf),
        page(console, "/my/invoices/{invoice}/print", "customer", GET=printed),
    ]


def invoices(asked: Asked) -> Answer:
    """What is on the way, then what was billed, newest first."""
    frame = about(asked)
    customer = asked.books.customer(asked.customer)
    drafts = asked.books.draft_period(customer.id, period_of(asked, customer), asked.shop.notice)
    values = {
        "drafts": [shown(asked, draft) for draft in drafts],
        "rows": list(reversed(asked.books.invoices(customer.id))),
        "statuses": asked.books.bills.statuses(customer.id),
        "named": False,
        "place": f"{PLACE}/invoices" if asked.founder else f"{asked.home}/invoices",
    }
    return Page("invoices.html", {**frame, **values})


def everyones(asked: Asked) -> Answer:
    """All invoices, newest first; of one status where asked."""
    status, begin = asked.query.get("status", ""), asked.place("from")
    found = asked.books.lists.invoices(None, str(begin) if begin else "", PAGE_ROWS, status=status or None, newest=True)
    values = {
        "rows": found.rows,
        "more": found.next,
        "statuses": found.statuses,
        "chosen": status,
        "all_statuses": STATUSES,
        "named": True,
        "place": f"{PLACE}/invoices",
    }
    return Page("all_invoices.html", values)


def invoice(asked: Asked) -> Answer:
    """One, with its arithmetic and what became of it."""
    one = found(asked)
    bills = asked.books.bills
    status = bills.status(one.id)
    values = {
        "invoice": one,
        "shown": shown(asked, one),
        "status": status,
        "owed": bills.owed(one.id),
        "notes": bills.credit_notes(one.id),
        "attempts": asked.books.payments.attempts(one.id) if asked.founder else [],
        "place": f"{PLACE}/invoices" if asked.founder else f"{asked.home}/invoices",
    }
    return Page("invoice.html", values)


def found(asked: Asked) -> Invoice:
    """The invoice of the path; another customer's is unknown to a customer."""
    if asked.founder:
        return asked.books.invoice(asked.path["invoice"])
    for invoice in asked.books.invoices(asked.session.customer):
        if asked.path["invoice"] in (invoice.id, str(invoice.number)):
            return invoice
    raise UnknownInvoice(f"no invoice {asked.path['invoice'][:80]!r}")


def replay(asked: Asked) -> Answer:
    """Make it again in a fresh process from the ledger, and compare bytes."""
    one = found(asked)
    same = replay_invoice(asked.books, one.id).same
    return Go(f"{PLACE}/invoices/{one.id}", said="said.replay_same" if same else "said.replay_differs")


def pdf(asked: Asked) -> Answer:
    """To keep."""
    one = found(asked)
    return Download(as_pdf(asked, one), "application/pdf", f"invoice-{one.number}.pdf")


def printed(asked: Asked) -> Answer:
    """To print: a document of its own."""
    content, policy = as_html(asked, found(asked))
    return Download(content, "text/html", policy=policy)


def close(asked: Asked) -> Answer:
    """Bill what one customer used so far."""
    customer = asked.books.customer(asked.customer)
    month = month_of(period_of(asked, customer).start)
    billing.close_month(asked.books, asked.shop.shelf, customer, month, asked.shop.notice, until_now=True)
    return Go(f"{asked.home}/invoices", said="said.closed")


def close_due(asked: Asked) -> Answer:
    """Bill every period that has ended."""
    made = billing.close_due(asked.books, asked.shop.shelf, asked.shop.notice)
    if made.failed:
        return Go(f"{PLACE}/invoices", said="said.closing_failed")
    return Go(f"{PLACE}/invoices", said="said.closed_due" if made.invoices else "said.nothing_due")


def pay(asked: Asked) -> Answer:
    """It was paid by hand."""
    one = found(asked)
    asked.books.bills.pay(one.id, asked.text("reference", default=""))
    return Go(f"{PLACE}/invoices/{one.id}", said="said.paid")


def void(asked: Asked) -> Answer:
    """It never counted."""
    one = found(asked)
    asked.books.bills.void(one.id, asked.text("reason", default=""))
    return Go(f"{PLACE}/invoices/{one.id}", said="said.voided")


def give_up(asked: Asked) -> Answer:
    """Nobody will pay it."""
    one = found(asked)
    asked.books.bills.uncollectible(one.id, asked.text("reason", default=""))
    return Go(f"{PLACE}/invoices/{one.id}", said="said.given_up")


def credit_note(asked: Asked) -> Answer:
    """Take an amount back, or all that is left."""
    one = found(asked)
    amount = asked.amount("amount", one.currency) if asked.form.get("amount", "").strip() else None
    made = asked.books.bills.credit_note(one.id, asked.text("reason"), amount=amount)
    return Go(f"{PLACE}/invoices/{made.id}", said="said.credit_note")
