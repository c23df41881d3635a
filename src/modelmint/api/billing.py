"""Invoices, credit and billing details over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from starlette.routing import Route

from modelmint.api.documents import shown
from modelmint.api.errors import BadQuery
from modelmint.api.routing import Asked, Reply, echo, route
from modelmint.api.service import Service
from modelmint.commerce.billing.details import share
from modelmint.commerce.billing.types import BillingDetails, GrantLeft, Invoice
from modelmint.commerce.documents import invoice_json
from modelmint.commerce.documents.invoice_json import money_json
from modelmint.kit.canonical import plain
from modelmint.kit.money import parse_money
from modelmint.kit.period import parse_month
from modelmint.operations import billing


def billing_routes(service: Service) -> list[Route]:
    """For the founder; customers see their own credit."""
    customer, one = "/admin/v1/customers/{customer}", "/admin/v1/invoices/{id}"
    return [
        route(service, f"{customer}/invoices", "founder", GET=customers_invoices, POST=close_period),
        route(service, f"{customer}/credits", "founder", GET=credits_of, POST=grant),
        route(service, "/admin/v1/invoices", "founder", GET=invoices),
        route(service, one, "founder", GET=invoice),
        route(service, f"{one}/pay", "founder", POST=pay),
        route(service, f"{one}/void", "founder", POST=void),
        route(service, f"{one}/uncollectible", "founder", POST=uncollectible),
        route(service, f"{one}/credit-note", "founder", POST=credit_note),
        route(service, "/admin/v1/close", "founder", POST=close_due),
        route(service, "/v1/credits", "customer", scope="invoices", GET=own_credits),
    ]


def invoices(asked: Asked) -> Any:
    """All invoices and credit notes, each with where it stands; ``?status=finalised|paid|void|uncollectible``."""
    return listed(asked, None)


def customers_invoices(asked: Asked) -> Any:
    """A customer's invoices, each with where it stands."""
    return listed(asked, asked.service.shop.books.customer(asked.path["customer"]).id)


def listed(asked: Asked, customer: str | None) -> dict[str, Any]:
    """A customer's invoices, or everybody's, a page at a time."""
    after, limit = asked.page()
    page = asked.service.shop.books.lists.invoices(customer, after, limit, status=asked.query.get("status"))
    found = [{**invoice_json.to_json(one), "status": page.statuses[one.id]} for one in page.rows]
    return {"invoices": found, "next": page.next or None}


def invoice(asked: Asked) -> Any:
    """One invoice with its history and what is owed; as text, page or PDF with ``?format=``."""
    books = asked.service.shop.books
    found = books.invoice(asked.path["id"])
    if asked.query.get("format", "json") != "json":
        return shown(found, asked)
    return _whole(asked, found)


def _whole(asked: Asked, found: Invoice) -> dict[str, Any]:
    bills = asked.service.shop.books.bills
    status = bills.status(found.id)
    return {
        **invoice_json.to_json(found),
        "status": status.status,
        "history": [{"status": what, "at": plain(at), "data": plain(data)} for what, at, data in status.history],
        "owed": money_json(bills.owed(found.id)),
        "credit_notes": [note.number for note in bills.credit_notes(found.id)],
    }


def close_period(asked: Asked) -> Reply:
    """Rate and finalise ``{"period": "2026-11", "until_now": false}``: the period that begins in that month."""
    shop = asked.service.shop
    until_now = asked.body.get("until_now", False)
    if not isinstance(until_now, bool):
        raise BadQuery(f"expected 'until_now' as true or false, found {echo(until_now)}")
    customer = shop.books.customer(asked.path["customer"])
    month = parse_month(asked.text("period"))
    found = billing.close_month(shop.books, shop.shelf, customer, month, shop.notice, until_now=until_now)
    return Reply({"invoices": [invoice_json.to_json(one) for one in found]}, status=201)


def close_due(asked: Asked) -> Reply:
    """Close every customer's periods that have ended; ``failed`` names those for whom that failed."""
    shop = asked.service.shop
    found = billing.close_due(shop.books, shop.shelf, shop.notice)
    made = [invoice_json.to_json(one) for one in found.invoices]
    return Reply({"invoices": made, "failed": [plain(failure) for failure in found.failed]}, status=201)


def pay(asked: Asked) -> Any:
    """``{"reference"?}``: all that is owed came in by hand; the same reference again changes nothing."""
    bills, found = _one(asked)
    bills.pay(found.id, asked.optional("reference") or "")
    return _whole(asked, found)


def void(asked: Asked) -> Any:
    """``{"reason"}``: it never counted; a paid one is corrected by a credit note instead."""
    bills, found = _one(asked)
    bills.void(found.id, asked.text("reason"))
    return _whole(asked, found)


def uncollectible(asked: Asked) -> Any:
    """``{"reason"}``: nobody is asked for it any more."""
    bills, found = _one(asked)
    bills.uncollectible(found.id, asked.text("reason"))
    return _whole(asked, found)


def credit_note(asked: Asked) -> Reply:
    """``{"reason", "lines"? [1, 2], "amount"? "5 USD"}``: take back lines, an amount before tax, or all of it."""
    bills, found = _one(asked)
    lines = asked.body.get("lines", [])
    if not isinstance(lines, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in lines):
        raise BadQuery(f"expected 'lines' as a list of positions, 1 for the first, found {echo(lines)}")
    amount = asked.optional("amount")
    note = bills.credit_note(
        found.id, asked.text("reason"), lines=lines, amount=None if amount is None else parse_money(amount)
    )
    return Reply(invoice_json.to_json(note), status=201)


def _one(asked: Asked) -> Any:
    books = asked.service.shop.books
    return books.bills, books.invoice(asked.path["id"])


def grant(asked: Asked) -> Reply:
    """``{"amount": "50 USD", "priority"? 10, "expires_at"?, "source"? "purchase", "note"?}``."""
    books = asked.service.shop.books
    priority = asked.body.get("priority", 10)
    if not isinstance(priority, int) or isinstance(priority, bool):
        raise BadQuery(f"expected 'priority' as a whole number, found {echo(priority)}")
    found = books.credits.grant(
        asked.path["customer"],
        parse_money(asked.text("amount")),
        priority=priority,
        expires_at=asked.moment("expires_at"),
        source=asked.text("source", default="purchase"),
        note=asked.optional("note") or "",
    )
    return Reply({**plain(found), "amount": money_json(found.amount)}, status=201)


def credits_of(asked: Asked) -> Any:
    """A customer's prepaid credit."""
    return _credits(asked, asked.path["customer"])


def own_credits(asked: Asked) -> Any:
    """The caller's prepaid credit."""
    return _credits(asked, asked.customer)


def _credits(asked: Asked, customer: str) -> Any:
    credit = asked.service.shop.books.credits
    return {
        "balance": [money_json(one) for one in credit.balance(customer)],
        "grants": [grant_json(one) for one in credit.grants(customer)],
    }


def grant_json(found: GrantLeft) -> dict[str, Any]:
    """A grant with what is left of it."""
    return {
        **plain(found.grant),
        "amount": money_json(found.grant.amount),
        "left": money_json(found.left),
        "expired": found.expired,
    }


def set_details(asked: Asked) -> Any:
    """``{"tax_rate"? "19 %", "tax_name"?, "tax_id"?, "address"?, "language"?, "anchor"?}`` of a customer."""
    rate, anchor, address = asked.body.get("tax_rate"), asked.body.get("anchor"), asked.body.get("address")
    if anchor is not None and (not isinstance(anchor, int) or isinstance(anchor, bool)):
        raise BadQuery(f"expected 'anchor' as a day of the month, found {echo(anchor)}")
    if address is not None and not isinstance(address, str):
        raise BadQuery(f"expected 'address' as a text, found {echo(address)}")
    unknown = sorted(asked.body.keys() - set(BillingDetails.__dataclass_fields__))
    if unknown:
        raise BadQuery(f"expected {', '.join(BillingDetails.__dataclass_fields__)}, found {echo(unknown)}")
    details = BillingDetails(
        tax_rate=None if rate is None else _rate(asked),
        tax_name=_line(asked, "tax_name"),
        tax_id=_line(asked, "tax_id"),
        address=address,
        language=asked.optional("language"),
        anchor=anchor,
    )
    return plain(asked.service.shop.books.bills.set_details(asked.path["customer"], details))


def _rate(asked: Asked) -> Decimal:
    rate = asked.body["tax_rate"]
    if not isinstance(rate, str):  # a JSON number is no exact decimal
        raise BadQuery(f'expected \'tax_rate\' as a text like "19 %" or "0.19", found {echo(rate)}')
    return share(rate)


def _line(asked: Asked, name: str) -> str | None:
    """A text that may be empty, or absent."""
    return "" if asked.body.get(name) == "" else asked.optional(name)
