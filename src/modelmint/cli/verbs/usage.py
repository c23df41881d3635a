"""``modelmint usage``: what was called, what of it is billable."""

from __future__ import annotations

from typing import Annotated

import typer

from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json


def usage(
    ctx: typer.Context,
    customer: Annotated[str | None, typer.Argument(help="Id or exact name; all customers when left out.")] = None,
    month: Annotated[str | None, typer.Option("--month", help="A month like 2026-11 (UTC); else this month.")] = None,
) -> None:
    """Billable calls in a month, by customer and model; refused calls are counted and never billed."""
    from modelmint.cli.views.selling import usage_view
    from modelmint.kit.period import month_of, parse_month

    session = session_of(ctx)
    books = session.shop.books
    period = parse_month(month) if month else month_of(books.now())
    customers = [books.customer(customer)] if customer else books.customers()
    summaries = [books.usage(one.id, period) for one in customers]
    names = {one.id: one.name for one in customers}
    payload = {
        "period": as_json(period),
        "calls": sum(one.calls for one in summaries),
        "customers": [{**as_json(one), "name": names[one.customer]} for one in summaries],
    }
    session.out.answer(payload, lambda out: out.table(usage_view(summaries, names)))
