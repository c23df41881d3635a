"""``modelmint credits``: prepaid credit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json

_Customer = Annotated[str, typer.Argument(help="Id or exact name.")]


def grant(
    ctx: typer.Context,
    customer: _Customer,
    amount: Annotated[str, typer.Argument(help='Like "50 USD".')],
    expires: Annotated[
        str | None, typer.Option("--expires", help="The day from which it is gone, like 2027-01-01.")
    ] = None,
    priority: Annotated[int, typer.Option("--priority", help="Lower is used first, 0 to 1000.")] = 10,
    source: Annotated[
        str, typer.Option("--source", help="purchase (paid for), promotion, service_credit or credit_note.")
    ] = "purchase",
    note: Annotated[str, typer.Option("--note", help="For yourself; no names.")] = "",
) -> None:
    """Give a customer prepaid credit; invoices use it before anything is due."""
    from modelmint.kit.money import parse_money
    from modelmint.kit.period import parse_moment

    session = session_of(ctx)
    books = session.shop.books
    found = books.credits.grant(
        customer,
        parse_money(amount),
        priority=priority,
        expires_at=None if expires is None else parse_moment(expires),
        source=source,
        note=note,
    )
    balance = books.credits.balance(found.customer)
    payload = {"grant": as_json(found), "balance": as_json(balance)}
    told = f"Granted {found.amount} ({found.id}); the balance is {', '.join(str(one) for one in balance)}."
    session.out.answer(payload, lambda out: out.say(told, style="bold green"))


def list_(ctx: typer.Context, customer: _Customer) -> None:
    """A customer's credit: what was granted, what is left, when it runs out."""
    from modelmint.cli.views.credits import credits_view

    session = session_of(ctx)
    credit = session.shop.books.credits
    found, balance = credit.grants(customer), credit.balance(customer)

    def show(out: Output) -> None:
        out.table(credits_view(found, balance))

    session.out.answer({"grants": as_json(found), "balance": as_json(balance)}, show)


VERBS: dict[str, Callable[..., None]] = {"grant": grant, "list": list_}
