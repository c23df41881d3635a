"""``modelmint new``: a commented venture.toml to start from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from modelmint.cli.errors import FileInTheWay
from modelmint.cli.output import Output
from modelmint.cli.session import session_of


def new(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the venture and of its folder, e.g. my-clinic.")],
    solution: Annotated[
        str, typer.Option("--solution", "-s", help="Which trade to start from: image-screening, digits, chest-xray.")
    ] = "image-screening",
    data: Annotated[
        str | None,
        typer.Option("--data", help="Your labelled data, a file or a folder; may be filled in later."),
    ] = None,
    purpose: Annotated[str | None, typer.Option("--purpose", help="What the service does, in a few words.")] = None,
) -> None:
    """Write a commented venture.toml and a README into a new folder; never overwrites."""
    from modelmint.solutions.templates import render

    session = session_of(ctx)
    folder = session.root / name
    answers = {} if data is None else {"source": as_seen_from(folder, data)}
    absent = data is not None and not data.startswith("sklearn:") and not Path(data).expanduser().exists()
    if purpose is not None:
        answers["purpose"] = purpose
    files = _write(folder, render(solution, name, **answers))
    shown = name if session.options.folder == "." else str(Path(session.options.folder) / name)
    following = [f"modelmint -C {shown} doctor", f"modelmint -C {shown} build"]
    payload = {
        "name": name,
        "solution": solution,
        "folder": str(folder),
        "files": files,
        "data": answers.get("source"),
        "next": following,
    }

    def show(out: Output) -> None:
        out.say(f"Made {folder / 'venture.toml'} ({solution}).", style="bold green")
        if data is None and solution != "digits":
            out.say("Open it and set data.source to your labelled pictures; every line is explained there. Then:")
        else:
            out.say("Every line of it is explained; change what you like. Then:")
        for line in following:
            out.say(f"  {line}")
        if absent:
            out.note(f"{data} is not there yet; data.source in venture.toml says where your pictures are looked for")

    session.out.answer(payload, show)


def _write(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Write all or nothing; the paths written. Raises ``FileInTheWay`` where one is there already."""
    from modelmint.kit.files import write_atomic
    from modelmint.venture.load import load_venture

    taken = sorted(path for path in files if (folder / path).exists())
    if taken:
        raise FileInTheWay(
            f"{folder} holds {', '.join(taken)} already, and nothing is overwritten. "
            "Choose another name, or move the files away.",
            details={"folder": str(folder), "files": taken},
        )
    for path, text in files.items():
        write_atomic(folder / path, text)
    load_venture(folder)  # a template that is no valid venture must not leave here unnoticed
    return [str(folder / path) for path in files]


def as_seen_from(folder: Path, data: str) -> str:
    """``data``, typed where the user stands, as a path relative to the new folder where that is short."""
    if data.startswith("sklearn:"):
        return data
    path = Path(data).expanduser().resolve()
    try:
        return path.relative_to(folder).as_posix()
    except ValueError:
        return path.as_posix()
