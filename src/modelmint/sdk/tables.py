"""Tables for people: boxed on a terminal, aligned words with ``--plain`` (for files, mails and the README)."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from modelmint.sdk.types import TableView

if TYPE_CHECKING:
    from rich.table import Table

_STYLES = {"good": "bold green", "bad": "dim", "warn": "yellow", "alarm": "bold red"}


def rich_table(view: TableView) -> Table:
    """The body of ``view`` as a rich table, its title left to the caller; cells are never read as markup."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=any(column.name for column in view.columns))
    for column in view.columns:
        # Figures and names are never broken; long words in the last columns may be.
        table.add_column(
            column.name, justify="right" if column.figure else "left", overflow="fold", no_wrap=column.figure
        )
    for index, row in enumerate(view.rows):
        table.add_row(*(Text(cell) for cell in row), style=_STYLES.get(view.marks.get(index, "")))
    return table


def width_of(text: str) -> int:
    """Columns that ``text`` takes on a terminal; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def plain_text(view: TableView) -> str:
    """``view`` as aligned text, no boxes, no colour; widths follow the longest cell."""
    header = tuple(column.name for column in view.columns)
    widths = [
        max(width_of(part) for row in (header, *view.rows) for part in row[i].split("\n")) for i in range(len(header))
    ]

    def line(row: tuple[str, ...]) -> str:
        tall = max(cell.count("\n") for cell in row)
        if tall:
            parts = [(cell.split("\n") + [""] * tall)[: tall + 1] for cell in row]
            return "\n".join(line(tuple(each)) for each in zip(*parts, strict=True))
        cells = []
        for cell, column, width in zip(row, view.columns, widths, strict=True):
            room = " " * (width - width_of(cell))
            cells.append(room + cell if column.figure else cell + room)
        return "  ".join(cells).rstrip()

    lines = [view.title] if view.title else []
    if any(header):
        lines += [line(header), "  ".join("-" * width for width in widths)]
    lines += [line(row) for row in view.rows]
    if view.note:
        lines.append(view.note)
    return "\n".join(lines)
