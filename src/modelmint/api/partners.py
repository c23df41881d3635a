"""Partners and channels over HTTP: a partner sees its own end customers and nobody else's.

What is somebody else's is unknown here: the answer is the same, word for word, as for what does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.routing import Route

from modelmint.api.keys import scopes_asked, with_secret
from modelmint.api.routing import Asked, Reply, route
from modelmint.api.service import Service
from modelmint.api.subscriptions import when_asked
from modelmint.api.usage import shown_usage
from modelmint.commerce.channels.report import csv_text
from modelmint.commerce.channels.types import Partner, PartnerStatement
from modelmint.commerce.documents import invoice_json
from modelmint.commerce.people.scopes import DEFAULT, PARTNER, checked
from modelmint.commerce.types import Customer
from modelmint.kit.canonical import plain
from modelmint.kit.money import Money, parse_money
from modelmint.kit.period import Period, month_of, parse_month
from modelmint.operations.billing import with_defaults


def partner_routes(service: Service) -> list[Route]:
    """What a partner's key of scope ``partner`` opens."""

    def own(path: str, **handlers: Callable[[Asked], Any]) -> Route:
        return route(service, f"/partner/v1{path}", "customer", scope=PARTNER, **handlers)

    return [
        own("/partner", GET=myself),
        own("/customers", GET=my_customers, POST=make_customer),
        own("/customers/{customer}", GET=my_customer),
        own("/customers/{customer}/keys", POST=make_key),
        own("/customers/{customer}/subscription", POST=subscribe),
        own("/customers/{customer}/usage", GET=usage),
        own("/customers/{customer}/invoices", GET=invoices),
        own("/referrals", GET=my_referrals),
        own("/statement", GET=my_statement),
    ]


def channel_routes(service: Service) -> list[Route]:
    """The founder's side."""
    return [
        route(service, "/admin/v1/partners", "founder", GET=partners, POST=make_partner),
        route(service, "/admin/v1/partners/{partner}", "founder", GET=show_partner),
        route(service, "/admin/v1/partners/{partner}/statement", "founder", GET=statement, POST=close_statement),
        route(service, "/admin/v1/partners/{partner}/pay-out", "founder", POST=pay_out),
        route(service, "/admin/v1/referrals", "founder", GET=referrals, POST=make_referral),
        route(service, "/admin/v1/referrals/{code}", "founder", DELETE=withdraw_referral),
        route(service, "/admin/v1/channels", "founder", GET=channels),
    ]


def _me(asked: Asked) -> Partner:
    """The partner that calls; raises ``NotAPartner``."""
    return asked.service.shop.books.channels.partner_of(asked.customer)


def _mine(asked: Asked) -> Customer:
    """The end customer in the path; raises ``UnknownCustomer`` for anybody else's."""
    return asked.service.shop.books.channels.customer(_me(asked).id, asked.path["customer"])


def myself(asked: Asked) -> Any:
    """The calling partner and its terms."""
    return plain(_me(asked))


def my_customers(asked: Asked) -> Any:
    """The partner's end customers."""
    found = asked.service.shop.books.channels.customers(_me(asked).id)
    return {"customers": [plain(customer) for customer in found]}


def make_customer(asked: Asked) -> Reply:
    """An end customer; with ``plan`` subscribed and given a first key at once."""
    books, me = asked.service.shop.books, _me(asked)
    return signed_up(
        asked,
        lambda name, email, code: books.channels.add_customer(me.id, name, email, referral=code),
    )


def signed_up(asked: Asked, add: Callable[[str, str, str | None], Customer]) -> Reply:
    """``{"name", "email"?, "code"?, "plan"?}``: nothing is stored where the plan is not on sale."""
    books = asked.service.shop.books
    plan = asked.optional("plan")
    if plan is not None:
        books.plan(plan)
    customer = add(asked.text("name"), asked.optional("email") or "", asked.optional("code"))
    customer = with_defaults(books, customer, asked.service.shop.billing)
    content: dict[str, Any] = {"customer": plain(customer)}
    if plan is not None:
        content["subscription"] = plain(books.subscribe(customer.id, plan))
        content["key"] = with_secret(*books.add_key(customer.id, "first"))
    return Reply(content, status=201)


def my_customer(asked: Asked) -> Any:
    """One end customer with keys and subscriptions."""
    books, customer = asked.service.shop.books, _mine(asked)
    return {
        **plain(customer),
        "keys": [plain(key) for key in books.keys(customer.id)],
        "subscriptions": [plain(subscription) for subscription in books.subscriptions(customer.id)],
    }


def make_key(asked: Asked) -> Reply:
    """A key for an end customer; its secret is in this answer only."""
    customer, wanted = _mine(asked), scopes_asked(asked)
    scopes = None if wanted is None else checked(wanted, within=DEFAULT)
    name, end = asked.text("name", default="api"), asked.moment("expires_at")
    return Reply(with_secret(*asked.service.shop.books.add_key(customer.id, name, scopes, end)), status=201)


def subscribe(asked: Asked) -> Any:
    """``{"plan", "at"?}``: put an end customer on a plan from then on, within what it could do itself."""
    contracts = asked.service.shop.books.contracts
    return plain(contracts.change(_mine(asked).id, asked.text("plan"), when_asked(asked), own=True))


def usage(asked: Asked) -> Any:
    """An end customer's usage in a billing period of its own."""
    return shown_usage(asked, _mine(asked))


def invoices(asked: Asked) -> Any:
    """An end customer's invoices."""
    found = asked.service.shop.books.invoices(_mine(asked).id)
    return {"invoices": [invoice_json.to_json(one) for one in found]}


def my_referrals(asked: Asked) -> Any:
    """The partner's referral codes."""
    return {"referrals": [plain(one) for one in asked.service.shop.books.channels.referrals(_me(asked).id)]}


def my_statement(asked: Asked) -> Any:
    """What the partner earned in a month."""
    return _statements(asked.service.shop.books.channels.statement(_me(asked).id, _month(asked)))


def partners(asked: Asked) -> Any:
    """All partners."""
    return {"partners": [plain(one) for one in asked.service.shop.books.channels.partners()]}


def make_partner(asked: Asked) -> Reply:
    """``{"customer", "terms": "commission" | "wholesale", "rate": "20 %"}``."""
    channels = asked.service.shop.books.channels
    made = channels.add_partner(asked.text("customer"), asked.text("terms", default="commission"), asked.text("rate"))
    return Reply(plain(made), status=201)


def show_partner(asked: Asked) -> Any:
    """A partner with its end customers and codes."""
    channels = asked.service.shop.books.channels
    found = channels.partner(asked.path["partner"])
    return {
        **plain(found),
        "customers": [plain(one) for one in channels.customers(found.id)],
        "referrals": [plain(one) for one in channels.referrals(found.id)],
    }


def statement(asked: Asked) -> Any:
    """What a partner earned in a month."""
    return _statements(asked.service.shop.books.channels.statement(asked.path["partner"], _month(asked)))


def close_statement(asked: Asked) -> Reply:
    """``{"period": "2026-11"}``: book what the partner earned, once."""
    found = asked.service.shop.books.channels.close_statement(asked.path["partner"], parse_month(asked.text("period")))
    return Reply(_statements(found), status=201)


def pay_out(asked: Asked) -> Any:
    """``{"period": "2026-11", "amount"?, "reference"?}``: a closed statement was paid out by hand."""
    amount = asked.optional("amount")
    channels = asked.service.shop.books.channels
    month, wanted = parse_month(asked.text("period")), None if amount is None else parse_money(amount)
    found = channels.pay_out(asked.path["partner"], month, wanted, asked.optional("reference") or "")
    return _statements(found)


def referrals(asked: Asked) -> Any:
    """All referral codes."""
    return {"referrals": [plain(one) for one in asked.service.shop.books.channels.referrals()]}


def make_referral(asked: Asked) -> Reply:
    """``{"code", "channel", "partner"?}``."""
    channels = asked.service.shop.books.channels
    made = channels.add_referral(asked.text("code"), asked.text("channel"), asked.optional("partner"))
    return Reply(plain(made), status=201)


def withdraw_referral(asked: Asked) -> Any:
    """Nobody comes with it any more."""
    return plain(asked.service.shop.books.channels.withdraw_referral(asked.path["code"]))


def channels(asked: Asked) -> Any:
    """Sign-ups, revenue, cost, commission and margin of each channel in a month; ``?format=csv``."""
    rows = asked.service.shop.books.channels.report(_month(asked))
    if asked.query.get("format") == "csv":
        return Reply(csv_text(rows).encode(), headers=[(b"content-type", b"text/csv; charset=utf-8")])
    return {"channels": [_money_json(plain(row), row) for row in rows]}


def _statements(found: list[PartnerStatement]) -> Any:
    shown = []
    for one in found:
        lines = [_money_json(plain(line), line) for line in one.lines]
        shown.append({**_money_json(plain(one), one), "lines": lines})
    return {"statements": shown}


def _money_json(content: dict[str, Any], source: Any) -> dict[str, Any]:
    """``content`` with each money of ``source`` as text beside its minor units."""
    for name in content:
        value = getattr(source, name)
        if isinstance(value, Money):
            content[name] = invoice_json.money_json(value)
    return content


def _month(asked: Asked) -> Period:
    """``?period=2026-11``, else the present month."""
    text = asked.query.get("period")
    return parse_month(text) if text is not None else month_of(asked.service.shop.books.now())
