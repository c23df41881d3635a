"""``modelmint keys``: API keys. The secret is shown once and is nowhere to be found afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json


def add(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(help="Id or exact name of the customer.")],
    name: Annotated[str, typer.Option("--name", help="What the key is for.")] = "default",
) -> None:
    """Make a key. Its secret is printed now and never again."""
    from modelmint.commerce.names import checked_name

    session = session_of(ctx)
    name = checked_name(name, "a key's name")
    books = session.shop.books
    holder = books.customer(customer)
    key, secret = books.add_key(holder.id, name)
    payload = {"key": as_json(key), "secret": secret}

    def show(out: Output) -> None:
        out.say(f"A key for {holder.name}. Copy it now; only its hash is kept:")
        out.say(f"  {secret}", style="bold green")
        out.say(f"Revoke it with: {session.hint(f'keys revoke {key.id}')}")

    session.out.answer(payload, show)


def list_(
    ctx: typer.Context,
    customer: Annotated[str | None, typer.Argument(help="Id or exact name; all customers when left out.")] = None,
) -> None:
    """Keys by their first characters, valid and revoked."""
    from modelmint.cli.views.selling import keys_view

    session = session_of(ctx)
    books = session.shop.books
    keys = books.keys(books.customer(customer).id if customer else None)
    names = {c.id: c.name for c in books.customers()}
    session.out.answer({"keys": as_json(keys)}, lambda out: out.table(keys_view(keys, names)))


def revoke(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(help="Id of the key (key_...), as in: keys list.")],
) -> None:
    """Revoke a key; the very next call with it is refused."""
    session = session_of(ctx)
    revoked = session.shop.books.revoke_key(key)
    session.out.answer({"key": as_json(revoked)}, lambda out: out.say(f"Revoked {revoked.hint}... ({revoked.id})."))


VERBS: dict[str, Callable[..., None]] = {"add": add, "list": list_, "revoke": revoke}
