"""``modelmint data``: the dataset as training and the judge see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmint.cli.session import session_of
from modelmint.cli.types import Column, TableView
from modelmint.data.types import SPLITS
from modelmint.kit.canonical import plain
from modelmint.sdk.views.figures import count

if TYPE_CHECKING:
    from modelmint.cli.output import Output
    from modelmint.data.types import Finding
    from modelmint.data.version import DatasetVersion


def show(ctx: typer.Context) -> None:
    """Rows by label and split, and what was found wrong; reads and checks the data where that is still to do."""
    from modelmint.cli.datasets import current

    session = session_of(ctx)
    dataset = current(session)
    payload = _about(dataset)

    def say(out: Output) -> None:
        out.table(_labels_view(dataset, payload["by_label"]))
        out.say(
            f"Pictures: {'grey' if dataset.channels == 1 else 'colour'}, {dataset.sizes[0]} x {dataset.sizes[1]} px"
        )
        kinds = payload["findings"]
        told = ", ".join(f"{kind} {number:,}" for kind, number in kinds.items()) or "none"
        out.say(f"Findings: {told}" + (f"   see: {session.hint('data findings')}" if kinds else ""))
        out.say(f"Digest {dataset.digest}", style="dim")

    session.out.answer(payload, say)


def findings(
    ctx: typer.Context,
    kind: Annotated[str | None, typer.Option("--kind", help="Only these: unreadable, exact_duplicate, ...")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows shown to people; --json has all.")] = 50,
) -> None:
    """Every problem in the data, the file it is in, and what was done about it."""
    from modelmint.cli.datasets import current

    session = session_of(ctx)
    dataset = current(session)
    found = [one for one in dataset.findings if kind is None or one.kind == kind]
    payload = {"dataset": dataset.digest, "count": len(found), "findings": plain(found)}
    session.out.answer(payload, lambda out: out.table(_findings_view(found, limit)))


VERBS: dict[str, Callable[..., None]] = {"show": show, "findings": findings}


def _about(dataset: DatasetVersion) -> dict[str, Any]:
    counted = {split: Counter(row.label for row in dataset.rows(split)) for split in SPLITS}
    by_label = {
        label: {split: counted[split][number] for split in SPLITS} for number, label in enumerate(dataset.labels)
    }
    return {
        "digest": dataset.digest,
        "folder": str(dataset.folder),
        "labels": list(dataset.labels),
        "positive": dataset.positive,
        "channels": dataset.channels,
        "sizes": list(dataset.sizes),
        "rows": {split: dataset.counts[split] for split in SPLITS},
        "by_label": by_label,
        "findings": dict(Counter(one.kind for one in dataset.findings).most_common()),
        "facts": dict(dataset.facts),
    }


def _labels_view(dataset: DatasetVersion, by_label: dict[str, dict[str, int]]) -> TableView:
    rows = [
        (label, *(f"{counts[split]:,}" for split in SPLITS), f"{sum(counts.values()):,}")
        for label, counts in by_label.items()
    ]
    totals = [dataset.counts[split] for split in SPLITS]
    rows.append(("all", *(f"{number:,}" for number in totals), f"{sum(totals):,}"))
    columns = (Column("label"), *(Column(split, True) for split in SPLITS), Column("all", True))
    return TableView("Rows", columns, tuple(rows), {})


def _findings_view(found: list[Finding], limit: int) -> TableView:
    rows = tuple((one.kind, one.name, one.other or "", one.action, one.message) for one in found[:limit])
    columns = (Column("kind"), Column("row"), Column("and"), Column("done"), Column("what"))
    note = f"{limit} of {len(found):,}; --limit shows more, --json has all." if len(found) > limit else ""
    return TableView(count(len(found), "finding"), columns, rows, {}, note)
