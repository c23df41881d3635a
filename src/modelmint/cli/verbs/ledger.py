"""``modelmint ledger``: every movement of money."""

from __future__ import annotations

from collections.abc import Callable

import typer

from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json


def list_(ctx: typer.Context) -> None:
    """All entries, oldest first; the legs of each transaction sum to zero."""
    from modelmint.cli.views.selling import ledger_view

    session = session_of(ctx)
    entries = session.shop.books.ledger()
    session.out.answer({"entries": as_json(entries)}, lambda out: out.table(ledger_view(entries)))


VERBS: dict[str, Callable[..., None]] = {"list": list_}
