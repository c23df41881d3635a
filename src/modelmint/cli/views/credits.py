"""Prepaid credit as a table."""

from __future__ import annotations

from collections.abc import Sequence

from modelmint.cli.types import Column, TableView
from modelmint.cli.views.selling import day
from modelmint.commerce.billing.types import GrantLeft
from modelmint.kit.money import Money
from modelmint.sdk.views.figures import DASH, count


def credits_view(grants: Sequence[GrantLeft], balance: Sequence[Money]) -> TableView:
    """Every grant in the order of granting; the balance below."""
    rows = tuple(
        (
            day(found.grant.at),
            str(found.grant.amount),
            str(found.left),
            "gone since " + day(found.grant.expires_at) if found.expired else day(found.grant.expires_at),
            str(found.grant.priority),
            found.grant.source,
            found.grant.note or DASH,
            found.grant.id,
        )
        for found in grants
    )
    columns = (
        Column("granted"), Column("amount", True), Column("left", True), Column("until"), Column("priority", True),
        Column("source"), Column("note"), Column("id"),
    )  # fmt: skip
    marks = {index: "bad" for index, found in enumerate(grants) if found.expired or not found.left.minor}
    left = ", ".join(str(one) for one in balance) or "nothing"
    return TableView(
        count(len(grants), "grant"), columns, rows, marks, f"Left: {left}. Usage not billed yet comes off."
    )
