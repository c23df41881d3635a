"""Feedback, stored inputs and leads as tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from modelmint.cli.types import Column, TableView
from modelmint.cli.views.selling import minute
from modelmint.commerce.visitors.types import Lead
from modelmint.kit.estimate import Estimate
from modelmint.monitoring.feedback.types import Feedback, Part, Summary
from modelmint.monitoring.inputs.types import Kept
from modelmint.sdk.views.figures import DASH, count, size

_SHOWN = 60


def feedback_view(rows: Sequence[Feedback], names: Mapping[str, str]) -> TableView:
    """Newest first; what a later row corrects is marked."""
    table = tuple(
        (
            minute(row.at),
            names.get(row.customer, row.customer),
            row.prediction,
            row.answer or DASH,
            row.truth or DASH,
            row.thumbs or DASH,
            _cut(row.comment),
            "" if row.newest else "corrected",
        )
        for row in rows
    )
    marks = {place: "bad" for place, row in enumerate(rows) if row.truth and row.answer and row.truth != row.answer}
    columns = (
        Column("when"), Column("customer"), Column("prediction"), Column("answer"), Column("truth"), Column("thumbs"),
        Column("comment"), Column(""),
    )  # fmt: skip
    return TableView(count(len(rows), "row"), columns, table, marks)


def summary_view(found: Summary) -> TableView:
    """Overall, then each release and model, then each label."""
    overall = Part("", "all", None, found.agreement, found.thumbs_up)
    parts = [overall, *found.by_release, *found.by_label]
    rows = tuple(
        (
            part.model,
            part.release[:12] or DASH,
            part.label or "all",
            _share(part.agreement),
            f"{part.agreement.n:,}",
            _share(part.thumbs_up),
            f"{part.thumbs_up.n:,}",
        )
        for part in parts
    )
    columns = (
        Column("model"), Column("release"), Column("answer"), Column("agreement", True), Column("truths", True),
        Column("thumbs up", True), Column("thumbs", True),
    )  # fmt: skip
    title = f"{count(found.predictions, 'prediction')} with feedback of {count(found.answered, 'input')} answered"
    return TableView(title, columns, rows, {})


def summary_note(found: Summary) -> str:
    """What the table leaves out, and what it is not."""
    apart = f"Not in the shares: truths of {found.abstained:,} abstentions, {found.unknown:,} of unknown answers. "
    return apart + "Shares with Wilson's 95 % interval; who gives feedback chooses of what, so it is no random sample."


def _share(found: Estimate) -> str:
    return DASH if not found.n else f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def inputs_view(kept: Sequence[Kept], names: Mapping[str, str], agreed: Collection[str], stores: bool) -> TableView:
    """By customer; those who agreed and of whom nothing is stored too."""
    owners = sorted({one.customer for one in kept} | set(agreed))
    rows = []
    for owner in owners:
        own = [one for one in kept if one.customer == owner]
        days = [one.day for one in own]
        rows.append(
            (
                names.get(owner, owner),
                "yes" if owner in agreed else "no",
                f"{len(own):,}",
                size(sum(one.size for one in own)),
                f"{min(days):%Y-%m-%d}" if days else DASH,
            )
        )
    columns = (Column("customer"), Column("agreed"), Column("inputs", True), Column("size", True), Column("since"))
    note = "" if stores else "The venture stores no inputs: [privacy] store_inputs is not true."
    return TableView(count(len(kept), "stored input"), columns, tuple(rows), {}, note)


def leads_view(leads: Sequence[Lead]) -> TableView:
    """Newest first."""
    rows = tuple((minute(one.at), one.email or DASH, _cut(one.comment), one.language, one.id) for one in leads)
    columns = (Column("when"), Column("e-mail"), Column("comment"), Column("language"), Column("id"))
    return TableView(count(len(leads), "lead"), columns, rows, {})


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
