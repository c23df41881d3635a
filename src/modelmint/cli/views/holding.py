"""What customers hold and would pay, and every version of every plan, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from modelmint.cli.types import Column, TableView
from modelmint.cli.views.selling import minute
from modelmint.commerce.billing.types import Preview, Scheduled
from modelmint.commerce.plan_terms import terms_of
from modelmint.commerce.types import PlanVersion
from modelmint.sdk.views.figures import DASH, count


def versions_view(versions: Sequence[PlanVersion]) -> TableView:
    """Every version with its story."""
    rows = tuple(
        (
            v.plan.name,
            v.plan.version,
            terms_of(v.plan),
            "on sale" if v.on_sale else f"from {minute(v.effective_at)}" if v.effective_at else "not on sale",
            v.origin,
            str(v.holders),
        )
        for v in versions
    )
    columns = (
        Column("plan"), Column("version"), Column("terms"), Column("state"), Column("from"), Column("customers", True),
    )  # fmt: skip
    return TableView(count(len(versions), "version"), columns, rows, {})


def scheduled_view(planned: Sequence[Scheduled]) -> TableView:
    """What will happen."""
    rows = tuple((minute(one.at), one.what, one.plan, one.plan_version) for one in planned)
    return TableView("Planned", (Column("when"), Column("what"), Column("plan"), Column("version")), rows, {})


def preview_view(preview: Preview) -> TableView:
    """Line by line: the invoices as they would be, and as they would be with the change."""
    rows = []
    for name, drafts in (("as it is", preview.now), ("changed", preview.changed)):
        for draft in drafts:
            for line in draft.lines:
                rows.append((name, line.description, line.explanation, str(line.amount)))
            rows.append((name, "Total", "with tax" if draft.tax.minor else "", str(draft.total)))
    rows.append(("difference", "", "", DASH if preview.difference is None else str(preview.difference)))
    columns = (Column(""), Column("line"), Column("arithmetic"), Column("amount", True))
    return TableView(f"A change at {minute(preview.at)} UTC, with no more usage", columns, tuple(rows), {})
