"""A usage table as JSON and as CSV: the wanted dimensions, then meter, n and quantity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from modelmint.commerce.metering.errors import BadPosition
from modelmint.commerce.metering.types import DIMENSIONS, UsageRow
from modelmint.kit.csv_text import csv_lines


def dimensions(names: Iterable[str]) -> tuple[str, ...]:
    """``names`` of dimensions in the order wanted, each once; raises ``BadPosition``."""
    wanted = tuple(dict.fromkeys(names))
    if unknown := [name for name in wanted if name not in DIMENSIONS]:
        raise BadPosition(f"expected usage by some of {', '.join(DIMENSIONS)}; found {', '.join(unknown)[:80]!r}")
    return wanted


def parse_dimensions(text: str) -> tuple[str, ...]:
    """``"day,model"``; raises ``BadPosition``."""
    return dimensions(part.strip() for part in text.split(",") if part.strip())


def columns(by: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns."""
    return (*by, "meter", "n", "quantity")


def to_json(row: UsageRow, by: Sequence[str]) -> dict[str, Any]:
    """One row; the quantity as decimal text."""
    return {name: _cell(row, name) for name in columns(by)}


def to_csv(rows: Iterable[UsageRow], by: Sequence[str]) -> Iterator[str]:
    """The table as lines of CSV, safe to open in a spreadsheet."""
    names = columns(by)
    return csv_lines(names, ([_cell(row, name) for name in names] for row in rows))


def _cell(row: UsageRow, name: str) -> str | int:
    value: str | int = f"{row.quantity:f}" if name == "quantity" else getattr(row, name)
    return value
