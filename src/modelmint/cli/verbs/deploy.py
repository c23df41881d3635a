"""``modelmint deploy``: point a public name at a release, or back at the former one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from modelmint.cli.errors import BadUsage
from modelmint.cli.output import Output
from modelmint.cli.session import Session, session_of
from modelmint.cli.verbs.releases import pick
from modelmint.cli.views.plain import as_json

if TYPE_CHECKING:
    from modelmint.commerce.types import Deployment


def deploy(
    ctx: typer.Context,
    release: Annotated[str | None, typer.Argument(help="Id or its beginning; the newest release if left out.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Public name; the model's own name if left out.")] = None,
    variant: Annotated[str | None, typer.Option("--variant", help="Variant to serve; the release's default.")] = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="Back to what the name served before.")] = False,
) -> None:
    """Serve a release from now on; a running server swaps within a second, without a failed call."""
    session = session_of(ctx)
    if rollback and (release or variant):
        raise BadUsage("--rollback goes back to what was served before; it takes no release and no variant")
    made = _back(session, name) if rollback else _forward(session, release, name, variant)

    def show(out: Output) -> None:
        for one in made:
            what = f"release {one.release[:12]}" + (f", variant {one.variant}" if one.variant else "")
            out.say(f"{one.name} now serves {what}.", style="bold green")
        out.say(f"Next, unless it runs already: {session.hint('serve')}")

    session.out.answer({"deployments": as_json(made)}, show)


def _forward(session: Session, wanted: str | None, name: str | None, variant: str | None) -> list[Deployment]:
    from modelmint.operations.deploy import deploy as operation

    shop = session.shop
    found = pick(session, wanted)
    return operation(shop.books, shop.shelf, found.id, name=name, variant=variant)


def _back(session: Session, name: str | None) -> list[Deployment]:
    from modelmint.operations.deploy import rollback as operation

    shop = session.shop
    names = [name] if name else [one.name for one in shop.books.deployments()]
    if len(names) != 1:
        raise BadUsage(f"say which name to roll back with --name; deployed: {', '.join(names) or 'nothing'}")
    return [operation(shop.books, shop.shelf, names[0])]
