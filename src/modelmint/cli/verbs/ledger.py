"""``modelmint ledger``: every movement of money."""

from __future__ import annotations

from collections.abc import Callable

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json


def list_(ctx: typer.Context) -> None:
    """All entries, oldest first, and the balance of each account; the legs of each transaction sum to zero."""
    from modelmint.cli.views.selling import balances_view, ledger_view
    from modelmint.commerce.ledger.postings import balances

    session = session_of(ctx)
    entries = session.shop.books.ledger()
    found = balances(entries)

    def show(out: Output) -> None:
        out.table(ledger_view(entries))
        if found:
            out.table(balances_view(found))

    held = [{"account": account, "balance": as_json(balance)} for (account, _), balance in found.items()]
    session.out.answer({"entries": as_json(entries), "balances": held}, show)


VERBS: dict[str, Callable[..., None]] = {"list": list_}
