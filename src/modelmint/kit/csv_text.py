"""CSV that a spreadsheet opens as text and numbers, never as formulas (RFC 4180, UTF-8).

A cell that begins like a formula gets a ``'`` before it, as spreadsheets themselves mark text. Plain numbers, negative
ones too, stay numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

#: First characters that some spreadsheet reads as the start of a formula or a command; their wide forms as well.
_STARTS = "=+-@|%\t\r\n＝＋－＠"  # the wide forms are meant
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def safe_cell(value: Any) -> str:
    """``value`` as the text of a cell; None is an empty cell."""
    text = "" if value is None else str(value)
    if text.lstrip(" ")[:1] in tuple(_STARTS) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The header and the rows as lines, each with its end; streams."""
    yield _line(header)
    for row in rows:
        yield _line(row)


def _line(cells: Iterable[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue()
