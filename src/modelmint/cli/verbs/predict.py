"""``modelmint predict``: a release applied to local files. No server, no key, nothing billed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmint.cli.errors import BadUsage
from modelmint.cli.exits import exit_code
from modelmint.cli.output import Output
from modelmint.cli.session import Session, session_of
from modelmint.kit.errors import InvalidInput

if TYPE_CHECKING:
    from modelmint.sdk.answers import LocalPrediction


def predict(
    ctx: typer.Context,
    source: Annotated[
        Path | None,
        typer.Argument(metavar="FILE|FOLDER", show_default=False, help="A picture, or a folder of pictures."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write every row to a .csv, .jsonl or .json file.")] = None,
    release: Annotated[str | None, typer.Option("--release", help="Id, its beginning, or a folder.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Where a release holds several models.")] = None,
    variant: Annotated[str | None, typer.Option("--variant", help="The release's default if left out.")] = None,
    explain: Annotated[
        Path | None, typer.Option("--explain", metavar="FOLDER", help="Write a heat map of every picture into FOLDER.")
    ] = None,
) -> None:
    """Predict on local files. A file that cannot be read is a row with its error; then the exit code is 2."""
    from modelmint.kit.files import write_atomic
    from modelmint.operations.local_predict import files_below

    session = session_of(ctx)
    if out is not None and out.suffix not in WRITERS:
        raise BadUsage(f"--out takes a file that ends in {', '.join(WRITERS)}; found {out.name!r}")
    source = _source(session, source, explain)
    found = session.opened.release(release)
    files = files_below(source)
    answers: list[LocalPrediction] = []
    rows: list[dict[str, Any]] = []
    with session.out.progress.bar("predict", len(files)) as bar, session.opened as opened:
        for answer in opened.answers(files, explain=explain is not None, release=release, model=model, variant=variant):
            answers.append(answer)
            rows.append(_row(answer, source, explain))
            bar.advance()
    if out is not None:
        write_atomic(out, WRITERS[out.suffix](rows, found.bundle.model(model).spec.labels))
    failed = sum(row["error"] is not None for row in rows)
    payload: dict[str, Any] = {
        "release": found.id,
        "answered": len(rows) - failed,
        "failed": failed,
        "out": str(out) if out is not None else None,
        "predictions": rows,
    }
    session.out.answer(payload, lambda shown: _say(shown, answers, failed, out, explain))
    if failed:
        raise typer.Exit(exit_code(InvalidInput))


def _source(session: Session, source: Path | None, explain: Path | None) -> Path:
    """What to predict on; raises ``BadUsage`` where it is missing, or a file stands in the place of the folder."""
    if source is None and explain is not None:
        meant = explain if explain.exists() else "PICTURE"
        raise BadUsage(
            f"--explain {explain}: that is where heat maps go, and nothing says of which pictures. "
            f"Do: {session.hint(f'predict {meant} --explain heat/')}"
        )
    if source is None:
        raise BadUsage(f"expected a picture or a folder of pictures. Do: {session.hint('predict PICTURE')}")
    if explain is not None and explain.exists() and not explain.is_dir():
        raise BadUsage(
            f"--explain takes a folder for the heat maps; {explain} is a file. "
            f"Do: {session.hint(f'predict {source} --explain heat/')}"
        )
    return source


def _say(shown: Output, answers: list[LocalPrediction], failed: int, out: Path | None, explain: Path | None) -> None:
    from modelmint.sdk.answers import SHOWN, rows_view

    rows = len(answers)
    note = f"The first {SHOWN} of {rows}; --out FILE.csv keeps them all." if rows > SHOWN else ""
    shown.table(rows_view(answers[:SHOWN], rows, note))
    if out is not None:
        shown.say(f"{rows} rows in {out}")
    if explain is not None:
        shown.say(f"Heat maps in {explain}: {rows - failed}")
    if failed:
        shown.say(f"{failed} of {rows} files could not be read; their rows say why.", style="bold red")


def _heat_map(answer: LocalPrediction, source: Path, folder: Path) -> Path | None:
    """The answer's heat map, laid into ``folder`` as the file lies in ``source``; None where it has none."""
    from modelmint.kit.files import write_atomic

    if answer.explanation is None or answer.explanation.png is None:
        return None
    file = Path(answer.name)
    place = folder / (file.relative_to(source) if source.is_dir() else Path(file.name))
    heat = place.with_name(f"{place.name}.png")
    heat.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(heat, answer.explanation.png)
    return heat


def _row(answer: LocalPrediction, source: Path, explain: Path | None) -> dict[str, Any]:
    """The answer as plain JSON; a heat map is written to its file and named, not repeated."""
    heat = None if explain is None else _heat_map(answer, source, explain)
    row = answer.to_json()
    if heat is not None:
        row["explanation"]["png"] = str(heat)
    return row


def _csv(rows: Sequence[dict[str, Any]], labels: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["file", "label", "probability", "abstained", *(f"p_{label}" for label in labels), "error"])
    for row in rows:
        if row["error"]:
            writer.writerow([row["file"], "", "", "", *([""] * len(labels)), row["error"]["code"]])
            continue
        shares = [f"{row['probabilities'][label]:.6f}" for label in labels]
        writer.writerow([row["file"], row["label"], f"{row['probability']:.6f}", row["abstained"], *shares, ""])
    return text.getvalue()


def _jsonl(rows: Sequence[dict[str, Any]], labels: Sequence[str]) -> str:
    del labels
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _json(rows: Sequence[dict[str, Any]], labels: Sequence[str]) -> str:
    del labels
    return json.dumps(list(rows), ensure_ascii=False, indent=2) + "\n"


WRITERS = {".csv": _csv, ".jsonl": _jsonl, ".json": _json}
