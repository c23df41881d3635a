"""A customer's details for billing, and its prepaid credit."""

from __future__ import annotations

from starlette.routing import Route

from modelmint.commerce.billing.types import BillingDetails
from modelmint.console.answers import Answer, Asked, Go, Page
from modelmint.console.errors import BadForm
from modelmint.console.page import PLACE, Console, about_one, page
from modelmint.console.pages.customers import about
from modelmint.console.words import NAMES
from modelmint.kit.money import EXPONENTS
from modelmint.operations.erase import erase as erase_all

SOURCES = ("purchase", "promotion")


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        *about_one(console, "/account", GET=account),
        page(console, "/customers/{customer}/details", "founder", "/customers/{customer}/account", POST=details),
        page(console, "/customers/{customer}/credits", "founder", "/customers/{customer}/account", POST=grant),
        page(console, "/customers/{customer}/erase", "founder", "/customers/{customer}/account", POST=erase),
    ]


def account(asked: Asked) -> Answer:
    """Both, and for the founder the forms that change them."""
    customer = asked.books.customer(asked.customer)
    currencies = [plan.currency for plan in asked.books.plans() if plan.currency]
    values = {
        "grants": list(reversed(asked.books.credits.grants(customer.id))),
        "balance": asked.books.credits.balance(customer.id),
        "currencies": [*dict.fromkeys([*currencies, *EXPONENTS])],
        "sources": SOURCES,
        "names": NAMES,
    }
    return Page("account.html", {**about(asked), **values})


def details(asked: Asked) -> Answer:
    """Set tax, address, language and the day on which periods begin."""
    anchor = asked.form.get("anchor", "").strip()
    if anchor and not (anchor.isascii() and anchor.isdigit() and len(anchor) <= 2):
        raise BadForm(f"expected a day of the month, 1 to 31, found {anchor[:20]!r}")
    asked.books.bills.set_details(
        asked.customer,
        BillingDetails(
            tax_rate=asked.share("tax_rate"),
            tax_name=asked.text("tax_name", default=""),
            tax_id=asked.text("tax_id", default=""),
            address=asked.text("address", default="", lines=True).replace("\r\n", "\n"),
            language=asked.chosen("language", tuple(NAMES)),
            anchor=int(anchor) if anchor else None,
        ),
    )
    return Go(f"{asked.home}/account", said="said.details")


def grant(asked: Asked) -> Answer:
    """Give prepaid credit."""
    asked.books.credits.grant(
        asked.customer,
        asked.amount("amount", asked.chosen("currency", tuple(EXPONENTS))),
        expires_at=asked.date("expires"),
        source=asked.chosen("source", SOURCES),
        note=asked.text("note", default=""),
    )
    return Go(f"{asked.home}/account", said="said.granted")


def erase(asked: Asked) -> Answer:
    """Forget a person for good; the name has to be typed."""
    customer = asked.books.customer(asked.customer)
    if asked.form.get("name", "").strip() != customer.name:
        raise BadForm("expected the customer's name, typed exactly, to be sure that this is meant")
    erase_all(asked.books, asked.shop.inputs, customer.id)
    return Go(f"{PLACE}/customers", said="said.erased")
