"""``modelmint payments``: asking for what is owed, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json


def collect(
    ctx: typer.Context,
    invoice: Annotated[
        str | None, typer.Argument(help="Id or number: ask for this one, whether or not its wait is over.")
    ] = None,
) -> None:
    """Ask the venture's payment provider for everything that is due, or for one invoice now."""
    from modelmint.cli.views.messages import attempts_view
    from modelmint.operations import collect as collecting

    session = session_of(ctx)
    shop = session.shop
    if invoice is None:
        made = collecting.collect_due(shop.books, shop.provider)
    else:
        made = [collecting.collect(shop.books, shop.provider, invoice, early=True)]
        collecting.deliver_fakes(shop.books, shop.provider)
    numbers = {one.id: one.number for one in shop.books.invoices()}

    def show(out: Output) -> None:
        if made:
            out.table(attempts_view(made, numbers))
        else:
            out.say("Nothing is due now.")

    session.out.answer({"payments": as_json(made)}, show)


def list_(
    ctx: typer.Context,
    invoice: Annotated[str | None, typer.Argument(help="Id or number; all invoices when left out.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 50,
) -> None:
    """Attempts to collect, newest first."""
    from modelmint.cli.views.messages import attempts_view

    session = session_of(ctx)
    books = session.shop.books
    found = books.payments.attempts(invoice, limit=limit)
    numbers = {one.id: one.number for one in books.invoices()}
    session.out.answer({"payments": as_json(found)}, lambda out: out.table(attempts_view(found, numbers)))


VERBS: dict[str, Callable[..., None]] = {"collect": collect, "list": list_}
