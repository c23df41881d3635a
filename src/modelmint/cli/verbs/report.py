"""``modelmint report``: a release as a document to read and to hand on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import Session, session_of

if TYPE_CHECKING:
    from modelmint.releases.dossier.types import Dossier

_FORMS = {"html": ("html",), "pdf": ("pdf",), "both": ("html", "pdf")}


def report(
    ctx: typer.Context,
    release: Annotated[str | None, typer.Argument(help="Id, its beginning, or a folder; else the newest.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write, .html or .pdf; else beside venture.toml.")
    ] = None,
    language: Annotated[str, typer.Option("--language", help="en or zh.")] = "en",
    form: Annotated[str | None, typer.Option("--format", help="html, pdf or both; else what --out ends in.")] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="With the pictures of cases, which may be private.")
    ] = True,
) -> None:
    """A release whole, on one page that needs nothing else, and as PDF: model card, data card, metrics, candidates,
    gates, cost, explanations.
    """
    from modelmint.cli.verbs.releases import pick
    from modelmint.kit.clock import SystemClock
    from modelmint.kit.files import write_atomic
    from modelmint.operations.report import dossier_of, printed

    session = session_of(ctx)
    found = dossier_of(pick(session, release), session.workspace)
    now = SystemClock().now()
    files = []
    for kind, path in _paths(session, found, out, form, language).items():
        session.out.progress.step(f"write {path.name}")
        write_atomic(path, printed(found, language, now, kind, with_pictures=pictures), 0o600)
        files.append(path)

    def show(said: Output) -> None:
        for path in files:
            said.say(f"Report on release {found.id[:12]} in {path}")

    payload = {"release": found.id, "language": language, "files": [str(path) for path in files]}
    session.out.answer(payload, show)


def _paths(session: Session, found: Dossier, out: Path | None, form: str | None, language: str) -> dict[str, Path]:
    """Form -> file. Without ``--out`` both forms lie beside the venture file, named by release and language."""
    from modelmint.cli.errors import BadUsage

    ending = out.suffix.lower().removeprefix(".") if out is not None else ""
    if form is None:
        form = ending if ending in ("html", "pdf") else "html" if out is not None else "both"
    if form not in _FORMS:
        raise BadUsage(f"expected --format {', '.join(_FORMS)}, found {form[:40]!r}")
    if out is None:
        stem = session.root / f"report-{found.id[:12]}-{language}"
        return {kind: stem.with_name(f"{stem.name}.{kind}") for kind in _FORMS[form]}
    if ending and ending not in _FORMS[form]:
        raise BadUsage(f"--format {form} does not go into a file that ends in .{ending}; leave one of the two out")
    if form == "both":
        return {kind: out.with_suffix(f".{kind}") for kind in _FORMS[form]}
    return {form: out}
