"""Usage tables over HTTP: the summary, cut by what is asked, as JSON or CSV."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from modelmint.api.errors import BadQuery
from modelmint.api.problems import Headers
from modelmint.api.routing import Asked, Reply, route
from modelmint.api.service import Service
from modelmint.commerce.billing.periods import beginning_in
from modelmint.commerce.metering import tables
from modelmint.commerce.metering.types import DIMENSIONS
from modelmint.commerce.types import Customer
from modelmint.kit.canonical import plain
from modelmint.kit.period import Period, billing_period, parse_month

CSV: Headers = [
    (b"content-type", b"text/csv; charset=utf-8"),
    (b"content-disposition", b'attachment; filename="usage.csv"'),
]


def usage_routes(service: Service) -> list[Route]:
    """All of them."""
    return [
        route(service, "/v1/usage", "customer", scope="usage", GET=own_usage),
        route(service, "/admin/v1/customers/{customer}/usage", "founder", GET=usage),
    ]


def own_usage(asked: Asked) -> Any:
    """The caller's billable usage in a billing period, and what was refused."""
    books = asked.service.shop.books
    held = books.contracts.current(asked.customer)
    return shown_usage(asked, books.customer(asked.customer), plan=held and held.plan)


def usage(asked: Asked) -> Any:
    """A customer's usage in a billing period."""
    return shown_usage(asked, asked.service.shop.books.customer(asked.path["customer"]))


def shown_usage(asked: Asked, customer: Customer, **more: Any) -> Any:
    """The summary, with ``rows`` where ``?by=day,model`` asks for them; those alone with ``?format=csv``."""
    books, period = asked.service.shop.books, period_of(asked, customer)
    form = asked.query.get("format", "json")
    if form not in ("json", "csv"):
        raise BadQuery(f"expected format=json or format=csv, found {form[:20]!r}")
    by = tables.parse_dimensions(asked.query.get("by", "" if form == "json" else ",".join(DIMENSIONS)))
    rows = books.meters.table(customer.id, period, by) if by or form == "csv" else []
    if form == "csv":
        return Reply("".join(tables.to_csv(rows, by)).encode(), headers=list(CSV))
    table = {"rows": [tables.to_json(row, by) for row in rows]} if by else {}
    return {**plain(books.usage(customer.id, period)), **more, **table}


def period_of(asked: Asked, customer: Customer) -> Period:
    """``?period=2026-11``: the customer's billing period that begins in that month; else the present one."""
    text = asked.query.get("period")
    if text is None:
        return billing_period(asked.service.shop.books.now(), customer.anchor)
    return beginning_in(parse_month(text), customer.anchor)
