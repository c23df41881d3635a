"""``modelmint data suspects``: rows whose labels may be wrong, for a person to decide on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmint.cli.session import session_of
from modelmint.cli.types import Column, TableView
from modelmint.sdk.views.figures import count

if TYPE_CHECKING:
    from modelmint.cli.output import Output
    from modelmint.cli.session import Session
    from modelmint.data.corrections import Correction
    from modelmint.data.reviews import Reviewed, Suspects
    from modelmint.data.version import DatasetVersion

_NAMED = "corrections.csv"


def suspects(
    ctx: typer.Context,
    export: Annotated[Path | None, typer.Option("--export", help="CSV to review: fill in decision.")] = None,
    reviewed: Annotated[Path | None, typer.Option("--import", help="The reviewed CSV; becomes corrections.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="One page with the pictures.")] = None,
    language: Annotated[str, typer.Option("--language", help="Of the page: en or zh.")] = "en",
    model: Annotated[str | None, typer.Option("--model", help="Whose base looks; the first where not named.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows shown to people; --json has all.")] = 25,
    again: Annotated[bool, typer.Option("--again", help="Rank again what was ranked already.")] = False,
) -> None:
    """Training and validation rows whose label a model does not believe that learned from the others. Never test."""
    from modelmint.cli.datasets import current
    from modelmint.data import reviews
    from modelmint.data.review_page import review_page
    from modelmint.sdk.suspects import ranked

    session = session_of(ctx)
    dataset = current(session)
    if reviewed is not None:
        _take_back(session, dataset, reviewed)
        return
    workspace = session.found_workspace()
    found = None if again else reviews.read_suspects(workspace, dataset.digest)
    found = found or ranked(session.venture, workspace, dataset, model, session.out.progress)
    known = _known(session, dataset)
    reviews.write_reviewed(workspace, dataset.digest, known)
    written = _written(found, known, dataset, export, None if html is None else (html, language, review_page))
    payload = {**_plain(found, known), "written": written}
    session.out.answer(payload, lambda out: _say(out, session, found, known, limit, written))


def _corrections(session: Session) -> list[Correction]:
    from modelmint.data.corrections import read_corrections
    from modelmint.data.sources import corrections_file

    stated = session.venture.file.data.corrections
    return [] if stated is None else read_corrections(corrections_file(stated, session.venture.folder))


def _known(session: Session, dataset: DatasetVersion) -> dict[str, Reviewed]:
    """Decisions on rows of this version: kept for it, and those that corrections tell."""
    from modelmint.data import reviews
    from modelmint.data.review_file import decided

    return reviews.read_reviewed(session.found_workspace(), dataset.digest) | decided(_corrections(session), dataset)


def _written(
    found: Suspects,
    known: dict[str, Reviewed],
    dataset: DatasetVersion,
    export: Path | None,
    page: tuple[Path, str, Callable[..., str]] | None,
) -> list[str]:
    from modelmint.data.review_file import review_csv
    from modelmint.kit.files import write_atomic

    written = []
    if export is not None:
        write_atomic(export, review_csv(found, known))
        written.append(str(export))
    if page is not None:
        file, language, render = page
        write_atomic(file, render(found, known, dataset, language))
        written.append(str(file))
    return written


def _take_back(session: Session, dataset: DatasetVersion, file: Path) -> None:
    """Decisions into the file of corrections; the next freeze applies them."""
    from modelmint.data import reviews
    from modelmint.data.corrections import corrections_csv
    from modelmint.data.review_file import as_corrections, read_review
    from modelmint.data.sources import corrections_file
    from modelmint.kit.files import write_atomic

    decisions = read_review(file, dataset)
    stated = session.venture.file.data.corrections
    target = corrections_file(stated or _NAMED, session.venture.folder)
    if stated is None and target.exists():
        from modelmint.cli.errors import FileInTheWay

        raise FileInTheWay(
            f'{target} exists and [data] does not name it. Do: add corrections = "{_NAMED}" to [data], or move the file'
        )
    merged = as_corrections(decisions, _corrections(session))
    write_atomic(target, corrections_csv(merged))
    known = reviews.read_reviewed(session.found_workspace(), dataset.digest)
    reviews.write_reviewed(session.found_workspace(), dataset.digest, known | decisions)
    counts = {name: sum(one.decision == name for one in decisions.values()) for name in ("keep", "relabel", "drop")}
    payload = {"dataset": dataset.digest, "decisions": counts, "corrections": str(target), "named": stated is not None}

    def say(out: Output) -> None:
        told = ", ".join(f"{number:,} {name}" for name, number in counts.items())
        out.say(f"{count(len(decisions), 'decision')}: {told}. In {target}: {count(len(merged), 'line')}")
        if stated is None:
            out.say(f'Now add to [data] in venture.toml: corrections = "{_NAMED}"')
        out.say(f"They are applied by the next: {session.hint('build')}")

    session.out.answer(payload, say)


def _plain(found: Suspects, known: dict[str, Reviewed]) -> dict[str, Any]:
    from modelmint.kit.canonical import plain

    rows = [{**plain(one), "decision": known[one.name].decision if one.name in known else None} for one in found.rows]
    return {**plain(found), "rows": rows}


def _say(
    out: Output, session: Session, found: Suspects, known: dict[str, Reviewed], limit: int, written: list[str]
) -> None:
    rows = tuple(
        (
            one.name, one.split, one.label, one.suggested, f"{one.probability:.3f}", f"{one.score:.3f}",
            "yes" if one.flagged else "", known[one.name].decision if one.name in known else "",
        )
        for one in found.rows[:limit]
    )  # fmt: skip
    columns = (
        Column("row"), Column("split"), Column("label"), Column("perhaps"), Column("likely", True),
        Column("own label", True), Column("flagged"), Column("decision"),
    )  # fmt: skip
    title = f"{count(found.flagged, 'suspected label')} among {found.n:,} training and validation rows"
    note = f"{min(limit, len(found.rows))} of {len(found.rows):,} ranked rows. {found.method}; {found.folds} folds."
    out.table(TableView(title, columns, rows, {}, note))
    for file in written:
        out.say(f"Written: {file}")
    if not written:
        out.say(f"Review them: {session.hint('data suspects --export suspects.csv --html suspects.html')}")


VERBS: dict[str, Callable[..., None]] = {"suspects": suspects}
