"""``modelmint webhooks``: who is told when something happens, what became of it, sending it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from modelmint.cli.errors import BadUsage
from modelmint.cli.output import Output
from modelmint.cli.session import Session, session_of
from modelmint.cli.views.plain import as_json

_ID = "Id of the webhook (wh_...), as in: webhooks list."
_WHOSE = "Id or exact name of a customer: then it hears of that customer only."


def add(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(help="Where messages are posted.")],
    kind: Annotated[list[str] | None, typer.Option("--kind", help="A kind to hear, repeatable; all of them.")] = None,
    customer: Annotated[str | None, typer.Option("--customer", help=_WHOSE)] = None,
) -> None:
    """Add an address. The secret that signs its messages is printed now and never again."""
    session = session_of(ctx)
    shop = session.shop
    owner = _owner(session, customer) or "founder"
    endpoint, secret = shop.books.outbox.add_endpoint(owner, url, kind or (), private=shop.private_webhooks)

    def show(out: Output) -> None:
        out.say(f"{endpoint.url} hears {', '.join(endpoint.kinds)}. Its secret; copy it now:")
        out.say(f"  {secret}", style="bold green")
        out.say(f"Try it: {session.hint(f'webhooks test {endpoint.id}')} (sent while the server runs)")

    session.out.answer({"webhook": as_json(endpoint), "secret": secret}, show)


def list_(
    ctx: typer.Context,
    customer: Annotated[str | None, typer.Argument(help="Id or exact name; everybody's when left out.")] = None,
) -> None:
    """Addresses and what they hear, disabled ones too."""
    from modelmint.cli.views.messages import endpoints_view

    session = session_of(ctx)
    found = session.shop.books.outbox.endpoints(_owner(session, customer))
    session.out.answer({"webhooks": as_json(found)}, lambda out: out.table(endpoints_view(found)))


def remove(ctx: typer.Context, webhook: Annotated[str, typer.Argument(help=_ID)]) -> None:
    """Send nothing there any more; what waited is given up."""
    session = session_of(ctx)
    found = session.shop.books.outbox.disable(webhook)
    session.out.answer({"webhook": as_json(found)}, lambda out: out.say(f"{found.url} is told nothing any more."))


def rotate(ctx: typer.Context, webhook: Annotated[str, typer.Argument(help=_ID)]) -> None:
    """A new secret; for a day the former one signs along."""
    session = session_of(ctx)
    found, secret = session.shop.books.outbox.rotate_secret(webhook)

    def show(out: Output) -> None:
        out.say(f"The new secret of {found.url}; the former one signs along for a day:")
        out.say(f"  {secret}", style="bold green")

    session.out.answer({"webhook": as_json(found), "secret": secret}, show)


def test(ctx: typer.Context, webhook: Annotated[str, typer.Argument(help=_ID)]) -> None:
    """Send a message of kind webhook.test there."""
    session = session_of(ctx)
    message = session.shop.books.outbox.test(webhook)
    session.out.answer({"message": message}, lambda out: out.say(f"{message} is sent as soon as a server runs."))


def deliveries(
    ctx: typer.Context,
    message: Annotated[str | None, typer.Option("--message", help="Of this message only.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="waiting, delivered or given_up.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 50,
) -> None:
    """What became of messages, newest first."""
    from modelmint.cli.views.messages import deliveries_view

    session = session_of(ctx)
    outbox = session.shop.books.outbox
    found = outbox.deliveries(message=message, state=state, limit=limit)
    urls = {one.id: one.url for one in outbox.endpoints()}
    session.out.answer({"deliveries": as_json(found)}, lambda out: out.table(deliveries_view(found, urls)))


def replay(
    ctx: typer.Context,
    message: Annotated[str | None, typer.Argument(help="Id of a message (msg_...).")] = None,
    since: Annotated[str | None, typer.Option("--since", help="All from then on: 2026-11-10T12:00:00Z.")] = None,
) -> None:
    """Send a message again, or all since a moment, under the same ids: receivers know what they have."""
    from modelmint.kit.period import parse_moment

    session = session_of(ctx)
    outbox = session.shop.books.outbox
    if (message is None) == (since is None):
        raise BadUsage("expected a message's id or --since, one of the two")
    made = outbox.replay(message) if message is not None else outbox.replay_since(parse_moment(since or ""))
    session.out.answer({"deliveries": made}, lambda out: out.say(f"{made} deliveries wait to be sent."))


def _owner(session: Session, customer: str | None) -> str | None:
    return None if customer is None else session.shop.books.customer(customer).id


VERBS: dict[str, Callable[..., None]] = {
    "add": add,
    "list": list_,
    "remove": remove,
    "rotate": rotate,
    "test": test,
    "deliveries": deliveries,
    "replay": replay,
}
