"""``modelmint store``: the books as a file: backup, restore, what lies where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json


def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Archive to write.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write the books to one file while the server runs: one moment of them, with digests. Keep it as you keep keys."""
    from modelmint.cli.errors import FileInTheWay
    from modelmint.kit.clock import SystemClock
    from modelmint.store.backup import back_up

    session = session_of(ctx)
    if file.exists() and not force:
        raise FileInTheWay(f"{file} is there already; name another file, or add --force")
    manifest, sha256 = back_up(session.books_url, file, SystemClock().now())

    def show(out: Output) -> None:
        out.say(f"{manifest.rows:,} rows of {len(manifest.tables)} tables in {file}")
        out.say(f"sha256 {sha256}")
        out.say(f"Head of the ledger: {manifest.head or '(empty)'} ({manifest.entries:,} entries)")
        for finding in manifest.findings:
            out.say(f"The books were broken already: {finding}", style="red")

    session.out.answer({"file": str(file), "sha256": sha256, **as_json(manifest)}, show)


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Archive that 'store backup' wrote.")],
    sha256: Annotated[str | None, typer.Option("--sha256", help="What 'store backup' printed.")] = None,
) -> None:
    """Fill an empty database from a backup and prove it; all or nothing. SQLite and PostgreSQL read each other's."""
    from modelmint.store.backup import restore as fill

    session = session_of(ctx)
    manifest = fill(session.books_url, file, sha256)

    def show(out: Output) -> None:
        out.say(f"{manifest.rows:,} rows of {len(manifest.tables)} tables restored, made {manifest.made_at}.")
        out.say(f"The ledger is whole: {manifest.entries:,} entries, head {manifest.head or '(empty)'}")

    session.out.answer({"file": str(file), **as_json(manifest)}, show)


def info(ctx: typer.Context) -> None:
    """Where the books lie, their schema, rows of each table, the head of the ledger."""
    from modelmint.cli.types import Column, TableView
    from modelmint.store.backup import look, shown_url

    session = session_of(ctx)
    found = look(session.books_url)
    place = shown_url(session.books_url)

    def show(out: Output) -> None:
        out.say(f"{found.kind} at {place}, schema {found.revision}, venture {found.venture or '-'}")
        out.say(f"Head of the ledger: {found.head or '(empty)'} ({found.entries:,} entries)")
        rows = tuple((name, f"{count:,}") for name, count in sorted(found.rows.items()) if count)
        out.table(TableView("", (Column("table"), Column("rows", True)), rows, {}))

    session.out.answer({"url": place, **as_json(found)}, show)


VERBS: dict[str, Callable[..., None]] = {"backup": backup, "restore": restore, "info": info}
