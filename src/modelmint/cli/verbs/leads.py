"""``modelmint leads``: what visitors of the trial page left. Personal: it goes after the days that the venture says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json


def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 50,
    before: Annotated[str | None, typer.Option("--before", help="Id of the former page's last.")] = None,
) -> None:
    """Addresses and words, newest first."""
    from modelmint.cli.views.feedback import leads_view

    session = session_of(ctx)
    found = session.shop.books.visitors.leads(before=before, limit=limit)
    session.out.answer({"leads": as_json(found)}, lambda out: out.table(leads_view(found)))


def export(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("-o", "--out", help="A .csv, .jsonl or .parquet file.")],
) -> None:
    """All of them as a table."""
    from modelmint.kit.table_file import Column, write_table

    session = session_of(ctx)
    names = ("at", "email", "comment", "consent", "language", "prediction", "id")
    columns = [Column(name, "time" if name == "at" else "text") for name in names]
    rows = ([getattr(lead, name) for name in names] for lead in session.shop.books.visitors.all_leads())
    count = write_table(out, out.suffix.lower().lstrip("."), columns, rows)
    session.out.answer({"file": str(out), "leads": count}, lambda shown: shown.say(f"{count:,} leads in {out}"))


def erase(
    ctx: typer.Context,
    wanted: Annotated[str, typer.Argument(help="An e-mail address, or a lead's id.")],
    yes: Annotated[bool, typer.Option("--yes", help="You mean it; it cannot be undone.")] = False,
) -> None:
    """Forget what somebody left; no byte of it stays in the database's files."""
    from modelmint.cli.errors import BadUsage
    from modelmint.commerce.people.actor import FOUNDER, acting

    if not yes:
        raise BadUsage(f"erasing {wanted} cannot be undone; say --yes if you mean it")
    session = session_of(ctx)
    with acting(FOUNDER):
        count = session.shop.books.visitors.forget(wanted)
    session.out.answer({"erased": count}, lambda out: out.say(f"{count:,} erased.", style="bold green"))


VERBS: dict[str, Callable[..., None]] = {"list": list_, "export": export, "erase": erase}
