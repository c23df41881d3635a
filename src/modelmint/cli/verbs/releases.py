"""``modelmint releases``: what was built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmint.cli.errors import NothingBuilt
from modelmint.cli.output import Output
from modelmint.cli.session import Session, session_of
from modelmint.kit.canonical import plain

if TYPE_CHECKING:
    from modelmint.releases.bundle import Release
    from modelmint.releases.shelf import Shelf


def shelf_of(session: Session) -> Shelf:
    """The releases of this workspace; opens no books."""
    from modelmint.releases.shelf import Shelf

    return Shelf(session.workspace / "releases")


def pick(session: Session, wanted: str | None) -> Release:
    """A release by id, prefix or folder; the newest one when none is named."""
    return session.opened.release(wanted).bundle


def list_(ctx: typer.Context) -> None:
    """All releases of this folder, the newest first."""
    from modelmint.sdk.views.releases import releases_view

    session = session_of(ctx)
    payload = {"releases": session.opened.releases.facts}
    session.out.answer(payload, lambda out: out.table(releases_view(payload["releases"])))


def show(
    ctx: typer.Context,
    release: Annotated[str | None, typer.Argument(help="Id, its beginning, or a folder; else the newest.")] = None,
    card: Annotated[bool, typer.Option("--card", help="Its model card, as Markdown.")] = False,
    language: Annotated[str, typer.Option("--language", help="Of the card: en or zh.")] = "en",
) -> None:
    """One release: models, metrics, gates, cost on each machine, licences, where it came from."""
    from modelmint.cli.views.releases import say_release

    session = session_of(ctx)
    if card:
        text = session.opened.card(release, language=language)
        told = {"release": session.opened.release(release).id, "language": language, "card": text}
        session.out.answer(told, lambda out: out.say(text.rstrip()))
        return
    payload = session.opened.release(release).facts
    session.out.answer(payload, lambda out: say_release(out, payload))


def verify(
    ctx: typer.Context,
    release: Annotated[str | None, typer.Argument(help="Id, its beginning, or a folder; all if left out.")] = None,
) -> None:
    """Hash every byte again; a changed, missing or extra file is named and the exit code is 9."""
    from modelmint.releases.errors import DamagedRelease
    from modelmint.releases.verify import verify as damages

    session = session_of(ctx)
    folders = _folders(session, release)
    checked: list[dict[str, Any]] = []
    for folder in folders:
        found = damages(folder)
        if found:
            raise DamagedRelease(folder.name, found)
        checked.append({"release": folder.name, "path": str(folder), "damage": plain(found)})

    def show_(out: Output) -> None:
        for one in checked:
            out.say(f"{one['release'][:12]}  sound: every file is what the manifest says", style="green")

    session.out.answer({"sound": True, "releases": checked}, show_)


def _folders(session: Session, wanted: str | None) -> list[Path]:
    """Folders to verify, not opened: a damaged manifest must reach the verifier."""
    root = session.workspace / "releases"
    if wanted is None:
        folders = [root / name for name in shelf_of(session).ids()]
        if not folders:
            raise NothingBuilt(f"{session.root} holds no release yet. Make one: {session.hint('build')}")
        return folders
    if (Path(wanted) / "manifest.json").exists():
        return [Path(wanted).resolve()]
    fitting = [root / name for name in shelf_of(session).ids() if name.startswith(wanted)]
    return fitting if len(fitting) == 1 else [shelf_of(session).get(wanted).path]


VERBS: dict[str, Callable[..., None]] = {"list": list_, "show": show, "verify": verify}
