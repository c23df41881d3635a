"""``modelmint audit``, ``modelmint alarms`` and ``modelmint customers erase``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json


def audit(
    ctx: typer.Context,
    subject: Annotated[
        str | None, typer.Option("--subject", help="A customer (id or exact name, with its keys), or another id.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="A moment, or a day (UTC).")] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="founder, system, customer:ID or partner:ID.")] = None,
    limit: Annotated[int, typer.Option("--limit", help="How many at most.", min=1, max=1000)] = 100,
) -> None:
    """Who did what, newest first."""
    from modelmint.cli.views.people import audit_view
    from modelmint.commerce.errors import UnknownCustomer
    from modelmint.kit.period import parse_moment

    session = session_of(ctx)
    books = session.shop.books
    if subject is not None:
        with suppress(UnknownCustomer):  # then it is the id of something else
            subject = books.customer(subject).id
    moment = None if since is None else parse_moment(since)
    found = books.people.audit(subject, moment, actor=actor, limit=limit)
    session.out.answer({"entries": as_json(found)}, lambda out: out.table(audit_view(found)))


def alarms(
    ctx: typer.Context,
    customer: Annotated[str | None, typer.Argument(help="Id or exact name; all customers when left out.")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only alarms that have not ended.")] = False,
) -> None:
    """Keys that behave unlike themselves: far more calls than ever, or far more refused ones."""
    from modelmint.cli.views.people import alarms_view

    session = session_of(ctx)
    books = session.shop.books
    found = books.people.alarms(customer, open_only=open_only)
    names = {c.id: c.name for c in books.customers()}
    session.out.answer({"alarms": as_json(found)}, lambda out: out.table(alarms_view(found, names)))


def erase(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(help="Id or exact name.")],
    yes: Annotated[bool, typer.Option("--yes", help="You mean it; it cannot be undone.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Although something is unbilled or owed.")] = False,
) -> None:
    """Forget a person: name, address, keys and reported values go; invoices and the ledger stand under a pseudonym."""
    from modelmint.cli.errors import BadUsage
    from modelmint.operations.erase import erase as erase_all

    session = session_of(ctx)
    books = session.shop.books
    found = books.customer(customer)
    if not yes:
        raise BadUsage(f"erasing {found.name} ({found.id}) cannot be undone; say --yes if you mean it")
    done = erase_all(books, session.shop.inputs, found.id, force=force)

    def show(out: Output) -> None:
        out.say(f"{done.customer} is {done.pseudonym} from now on.", style="bold green")
        out.say(f"Keys revoked: {done.keys}. Webhooks removed: {done.endpoints}. Usage events emptied: {done.events}.")
        out.say(f"Stored inputs deleted: {done.inputs}.")
        if not done.scrubbed:
            out.say("The database files were not rewritten; former bytes may lie in them until they are.")
        out.say("Backups, logs and the payment provider keep what they hold: erase there too.")

    session.out.answer({"erasure": as_json(done)}, show)


AUDIT: dict[str, Callable[..., None]] = {"list": audit}
ALARMS: dict[str, Callable[..., None]] = {"list": alarms}
CUSTOMERS: dict[str, Callable[..., None]] = {"erase": erase}
