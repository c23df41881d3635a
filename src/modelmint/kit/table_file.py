"""Rows streamed into a file: CSV for spreadsheets, JSON lines for programs, Parquet for analysis."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from modelmint.kit.canonical import canonical_json, plain
from modelmint.kit.csv_text import csv_lines
from modelmint.kit.errors import InvalidInput, MissingExtra

#: Rows in memory at a time.
PAGE = 10_000
Rows = Iterable[Sequence[Any]]


class UnknownFormat(InvalidInput):
    """A table is wanted in a format that is not written."""

    code = "unknown_format"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: ``kind`` is "text", "whole" (integers), "amount" (exact decimals) or "time" (aware)."""

    name: str
    kind: str = "text"


def write_table(path: Path, form: str, columns: Sequence[Column], rows: Rows) -> int:
    """Write ``rows`` to ``path`` and say how many they were; the file is whole or not there.

    ``form`` is "csv", "jsonl" or "parquet"; raises ``UnknownFormat``, ``MissingExtra``.
    """
    if form not in FORMATS:
        raise UnknownFormat(f"expected one of {', '.join(FORMATS)}, found {form!r}")
    count = 0

    def counted() -> Iterator[Sequence[Any]]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    with whole_file(path) as temporary:
        FORMATS[form](temporary, columns, counted())
    return count


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary name that becomes ``path``, synced, when the block ends well, and vanishes when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _csv(path: Path, columns: Sequence[Column], rows: Rows) -> None:
    texts = ([plain(cell) for cell in row] for row in rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_lines([column.name for column in columns], texts))


def _jsonl(path: Path, columns: Sequence[Column], rows: Rows) -> None:
    names = [column.name for column in columns]
    with path.open("wb") as file:
        for row in rows:
            file.write(canonical_json(dict(zip(names, row, strict=True))) + b"\n")


def _parquet(path: Path, columns: Sequence[Column], rows: Rows) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("parquet", "writing Parquet") from error
    types = {
        "text": pyarrow.string(),
        "whole": pyarrow.int64(),
        # 38 digits are what 128 bits hold; three decimals are what the finest currency has.
        "amount": pyarrow.decimal128(38, 3),
        "time": pyarrow.timestamp("us", tz="UTC"),
    }
    schema = pyarrow.schema([(column.name, types[column.kind]) for column in columns])
    left = iter(rows)
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        while page := list(islice(left, PAGE)):
            cells = zip(*page, strict=True)
            arrays = [pyarrow.array(list(cell), field.type) for cell, field in zip(cells, schema, strict=True)]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


FORMATS: dict[str, Callable[[Path, Sequence[Column], Rows], None]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
}
