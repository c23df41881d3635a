"""``modelmint keys``: API keys. The secret is shown once and is nowhere to be found afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json

if TYPE_CHECKING:
    from modelmint.commerce.types import Key

_EXPIRES = "A moment like 2027-06-30T12:00:00Z, or a day (UTC); never when left out."


def add(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(help="Id or exact name of the customer.")],
    name: Annotated[str, typer.Option("--name", help="What the key is for.")] = "default",
    scopes: Annotated[
        str | None, typer.Option("--scopes", help="What it may do, as in 'predict usage'; all but partner if left out.")
    ] = None,
    expires: Annotated[str | None, typer.Option("--expires", help=_EXPIRES)] = None,
) -> None:
    """Make a key. Its secret is printed now and never again."""
    from modelmint.commerce.names import checked_name
    from modelmint.commerce.people.scopes import parse
    from modelmint.kit.period import parse_moment

    session = session_of(ctx)
    name = checked_name(name, "a key's name")
    chosen = None if scopes is None else parse(scopes)
    end = None if expires is None else parse_moment(expires)
    books = session.shop.books
    holder = books.customer(customer)
    key, secret = books.add_key(holder.id, name, chosen, end)

    def show(out: Output) -> None:
        out.say(f"A key for {holder.name}. Copy it now; only its hash is kept:")
        _show_secret(out, key, secret)
        out.say(f"Replace it with: {session.hint(f'keys rotate {key.id}')}")
        out.say(f"Revoke it with: {session.hint(f'keys revoke {key.id}')}")

    session.out.answer({"key": as_json(key), "secret": secret}, show)


def rotate(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(help="Id of the key (key_...), as in: keys list.")],
    overlap: Annotated[float, typer.Option("--overlap-hours", help="How long the former key goes on.")] = 24.0,
    expires: Annotated[str | None, typer.Option("--expires", help="End of the new key; the former's if left out.")] = (
        None
    ),
) -> None:
    """Replace a key by a new one with the same name and scopes; both work during the overlap."""
    from datetime import timedelta

    from modelmint.commerce.people.terms import LONGEST_OVERLAP, checked_overlap
    from modelmint.kit.period import parse_moment

    session = session_of(ctx)
    longest = LONGEST_OVERLAP / timedelta(hours=1)
    span = checked_overlap(timedelta(hours=max(-1.0, min(overlap, longest + 1.0))))
    end = None if expires is None else parse_moment(expires)
    people = session.shop.books.people
    made, secret = people.rotate(key, span, expires_at=end)
    former = people.key(key)

    def show(out: Output) -> None:
        out.say(f"A key in place of {former.hint}.... Copy it now; only its hash is kept:")
        _show_secret(out, made, secret)
        out.say(f"The former one works until {former.expires_at:%Y-%m-%d %H:%M} UTC.")

    session.out.answer({"key": as_json(made), "secret": secret, "former": as_json(former)}, show)


def list_(
    ctx: typer.Context,
    customer: Annotated[str | None, typer.Argument(help="Id or exact name; all customers when left out.")] = None,
) -> None:
    """Keys by their first characters, with what they may do, their end and their last use."""
    from modelmint.cli.views.people import keys_view

    session = session_of(ctx)
    books = session.shop.books
    keys = books.keys(books.customer(customer).id if customer else None)
    names = {c.id: c.name for c in books.customers()}
    session.out.answer({"keys": as_json(keys)}, lambda out: out.table(keys_view(keys, names, books.now())))


def revoke(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(help="Id of the key (key_...), as in: keys list.")],
) -> None:
    """Revoke a key; the very next call with it is refused."""
    session = session_of(ctx)
    revoked = session.shop.books.revoke_key(key)
    session.out.answer({"key": as_json(revoked)}, lambda out: out.say(f"Revoked {revoked.hint}... ({revoked.id})."))


def _show_secret(out: Output, key: Key, secret: str) -> None:
    out.say(f"  {secret}", style="bold green")
    until = f", until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else ""
    out.say(f"It may: {', '.join(key.scopes)}{until}.")


VERBS: dict[str, Callable[..., None]] = {"add": add, "list": list_, "rotate": rotate, "revoke": revoke}
