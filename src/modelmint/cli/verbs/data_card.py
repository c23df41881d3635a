"""``modelmint data card`` and ``data export``: the dataset described, and as a plain folder, for other tools."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelmint.cli.session import session_of

if TYPE_CHECKING:
    from modelmint.cli.session import Session
    from modelmint.data.croissant import About
    from modelmint.data.version import DatasetVersion


class CardFormat(StrEnum):
    """Forms of the card."""

    JSON = "json"
    MARKDOWN = "markdown"
    CROISSANT = "croissant"


def card(
    ctx: typer.Context,
    form: Annotated[CardFormat, typer.Option("--format", help="json, markdown or croissant.")] = CardFormat.MARKDOWN,
    out: Annotated[Path | None, typer.Option("--out", help="File to write; the answer itself where not named.")] = None,
) -> None:
    """The dataset card: licence, provenance, splits, labels, findings, sha256; croissant is JSON-LD for data tools."""
    from modelmint.cli.datasets import current
    from modelmint.data.card import card as content
    from modelmint.data.card import card_markdown
    from modelmint.data.croissant import frozen_croissant
    from modelmint.kit.canonical import pretty_json
    from modelmint.kit.files import write_atomic

    session = session_of(ctx)
    dataset = current(session)
    if form is CardFormat.MARKDOWN:
        text, plain = card_markdown(dataset), {"markdown": card_markdown(dataset)}
    else:
        plain = content(dataset) if form is CardFormat.JSON else frozen_croissant(dataset, about(session, dataset))
        text = pretty_json(plain)
    if out is not None:
        write_atomic(out, text)
        told = {"dataset": dataset.digest, "format": form.value, "written": str(out)}
        session.out.answer(told, lambda shown: shown.say(f"Written: {out}"))
        return
    session.out.answer({"dataset": dataset.digest, "format": form.value, "card": plain}, lambda shown: shown.say(text))


def export(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.")],
    test: Annotated[bool, typer.Option("--with-test", help="The test split, too: counted as a reading.")] = False,
) -> None:
    """Pictures in folders by split and label, with rows.csv and croissant.json. Test rows only where asked."""
    from modelmint.cli.datasets import current
    from modelmint.data.export import export as write

    session = session_of(ctx)
    dataset = current(session)
    payloads, reads = None, None
    if test:
        log = session.found_workspace() / "test_reads" / f"{dataset.digest}.jsonl"
        payloads, _, reads = dataset.judge_test("export", log)
    counts = write(dataset, about(session, dataset), payloads, folder, session.out.progress)
    plain = {"dataset": dataset.digest, "folder": str(folder), "pictures": counts, "test_reads": reads}
    told = ", ".join(f"{number:,} {split}" for split, number in counts.items())
    session.out.answer(plain, lambda shown: shown.say(f"Pictures in {folder}: {told}. For data tools: croissant.json"))


def about(session: Session, dataset: DatasetVersion) -> About:
    """What the venture says of its data."""
    from modelmint.data.croissant import About
    from modelmint.data.version import licence_of

    file = session.venture.file
    return About(file.venture.name, file.venture.purpose, licence_of(file.data.licence, dataset))


VERBS: dict[str, Callable[..., None]] = {"card": card, "export": export}
