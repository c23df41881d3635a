"""Usage tables, recorded events and the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmint.cli.types import Column, TableView
from modelmint.sdk.views.figures import DASH, count

_FIGURES = ("n", "quantity")


def rows_view(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> TableView:
    """A usage table: one column a dimension, then meter, n and quantity."""
    columns = tuple(Column(name, name in _FIGURES) for name in names)
    cells = tuple(tuple(str(row[name]) if row[name] != "" else DASH for name in names) for row in rows)
    return TableView(count(len(rows), "row"), columns, cells, {}, "Quantities of different meters are never added.")


def events_view(events: Sequence[Mapping[str, Any]]) -> TableView:
    """CloudEvents, calls among them."""
    rows = tuple(
        (
            str(event["time"])[:19].replace("T", " "),
            "call" if event["type"].endswith(".call") else "event",
            event["data"]["meter"],
            event["data"]["quantity"],
            event["data"].get("model") or DASH,
            event["data"].get("code") or event["data"].get("value") or DASH,
            event["source"],
            event["id"],
        )
        for event in events
    )
    columns = (
        Column("when"), Column("what"), Column("meter"), Column("quantity", True), Column("model"),
        Column("code or value"), Column("source"), Column("id"),
    )  # fmt: skip
    return TableView(count(len(events), "entry", "entries"), columns, rows, {})
