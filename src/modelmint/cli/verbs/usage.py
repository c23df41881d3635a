"""``modelmint usage``: what was called, what of it is billable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from modelmint.cli.session import Session, session_of
from modelmint.cli.views.plain import as_json

if TYPE_CHECKING:
    from modelmint.commerce.types import Customer
    from modelmint.kit.period import Period


def usage(
    ctx: typer.Context,
    customer: Annotated[str | None, typer.Argument(help="Id or exact name; all customers when left out.")] = None,
    month: Annotated[
        str | None, typer.Option("--month", help="2026-11: the billing period that begins in it (UTC); else this one.")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="A table by some of day, model, variant, key, state: --by day,model")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="The table as CSV on stdout.")] = False,
) -> None:
    """Billable usage of a month, by customer and model; refused calls are counted and never billed."""
    session = session_of(ctx)
    books = session.shop.books
    customers = [books.customer(customer)] if customer else books.customers()
    periods = {one.id: period_of(session, one, month) for one in customers}
    if by is not None or csv:
        _table(session, customers, periods, by, csv=csv)
        return
    from modelmint.cli.views.selling import usage_view
    from modelmint.kit.period import month_of, parse_month

    summaries = [books.usage(one.id, periods[one.id]) for one in customers]
    names = {one.id: one.name for one in customers}
    payload = {
        "period": as_json(parse_month(month) if month else month_of(books.now())),
        "calls": sum(one.calls for one in summaries),
        "customers": [{**as_json(one), "name": names[one.customer]} for one in summaries],
    }
    session.out.answer(payload, lambda out: out.table(usage_view(summaries, names)))


def period_of(session: Session, customer: Customer, month: str | None) -> Period:
    """The customer's billing period that begins in ``month``, else the present one."""
    from modelmint.commerce.billing.periods import beginning_in
    from modelmint.kit.period import billing_period, parse_month

    if month is None:
        return billing_period(session.shop.books.now(), customer.anchor)
    return beginning_in(parse_month(month), customer.anchor)


def _table(
    session: Session, customers: list[Customer], periods: dict[str, Period], by: str | None, *, csv: bool
) -> None:
    from modelmint.cli.views.usage import rows_view
    from modelmint.commerce.metering import tables
    from modelmint.commerce.metering.types import DIMENSIONS
    from modelmint.kit.csv_text import csv_lines

    wanted = DIMENSIONS if by is None else tables.parse_dimensions(by)
    meters = session.shop.books.meters
    rows = [
        {"customer": one.name, **tables.to_json(row, wanted)}
        for one in customers
        for row in meters.table(one.id, periods[one.id], wanted)
    ]
    names = ("customer", *tables.columns(wanted))
    if csv and not session.out.options.json:
        text = "".join(csv_lines(names, ([row[name] for name in names] for row in rows)))
        session.out.answer({}, lambda out: out.say(text.rstrip("\r\n")))
        return
    session.out.answer({"by": list(wanted), "rows": rows}, lambda out: out.table(rows_view(names, rows)))
