"""What a customer used in a billing period: a bar for every day, then by model, key and meter."""

from __future__ import annotations

from datetime import timedelta

from starlette.routing import Route

from modelmint.commerce.billing.periods import beginning_in
from modelmint.commerce.types import Customer
from modelmint.console.answers import Answer, Asked, Page
from modelmint.console.chart import by_day
from modelmint.console.page import Console, about_one
from modelmint.console.pages.customers import about, holding
from modelmint.kit.period import Period, billing_period, parse_month


def pages(console: Console) -> list[Route]:
    """All of them."""
    return about_one(console, "/usage", GET=usage)


def period_of(asked: Asked, customer: Customer) -> Period:
    """``?month=2026-11``: the billing period that begins in that month; else the present one."""
    month = asked.query.get("month")
    if month is None:
        return billing_period(asked.books.now(), customer.anchor)
    return beginning_in(parse_month(month), customer.anchor)


def around(period: Period, customer: Customer) -> tuple[str, str]:
    """The months that name the periods before and after."""
    before = billing_period(period.start - timedelta(microseconds=1), customer.anchor)
    return f"{before.start:%Y-%m}", f"{period.end:%Y-%m}"


def usage(asked: Asked) -> Answer:
    """The page."""
    frame = about(asked)
    customer = asked.books.customer(asked.customer)
    period = period_of(asked, customer)
    found = asked.books.usage(customer.id, period)
    names = {key.id: f"{key.name} ({key.hint}…)" for key in asked.books.keys(customer.id)}
    before, after = around(period, customer)
    return Page(
        "usage.html",
        {
            **frame,
            "usage": found,
            "period": period,
            "before": before,
            "after": after if period.end <= asked.books.now() else "",
            "chart": by_day(found.by_day, period.start.date(), period.end.date()),
            "by_key": [(names.get(key, key), calls) for key, calls in found.by_key.items()],
            "meters": [
                (asked.words.either(f"meter.{name}", name), used) for name, used in sorted(found.by_meter.items())
            ],
            "held": holding(asked, customer.id),
            "refused": sorted(found.refused.items(), key=lambda item: (-item[1], item[0])),
        },
    )
