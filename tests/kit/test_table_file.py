"""Tables in files: whole or not there, exact in every format."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from modelmint.kit.table_file import Column, UnknownFormat, write_table

COLUMNS = (Column("name"), Column("n", "whole"), Column("amount", "amount"), Column("at", "time"))
AT = datetime(2026, 11, 5, 12, 30, 0, 7, tzinfo=UTC)
ROWS: list[tuple[Any, ...]] = [
    ('诊所, "x"\n', 2**62, Decimal("12345678901234567890.123"), AT),
    ("=1+1", -5, Decimal("-0.01"), None),
]


def test_csv_holds_every_row_and_no_formula(tmp_path: Path) -> None:
    assert write_table(tmp_path / "t.csv", "csv", COLUMNS, ROWS) == 2
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["name", "n", "amount", "at"],
            ['诊所, "x"\n', str(2**62), "12345678901234567890.123", "2026-11-05T12:30:00.000007Z"],
            ["'=1+1", "-5", "-0.01", ""],
        ]


def test_json_lines_hold_exact_texts(tmp_path: Path) -> None:
    write_table(tmp_path / "t.jsonl", "jsonl", COLUMNS, ROWS)
    first, second = (json.loads(line) for line in (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines())
    assert (first["n"], first["amount"]) == (2**62, "12345678901234567890.123")
    assert second == {"name": "=1+1", "n": -5, "amount": "-0.01", "at": None}


def test_parquet_holds_exact_decimals_and_times(tmp_path: Path, missing: Any) -> None:
    try:
        import pyarrow.parquet
    except ImportError:
        missing("needs the extra 'parquet'")
    assert write_table(tmp_path / "t.parquet", "parquet", COLUMNS, iter(ROWS * 6000)) == 12_000
    table = pyarrow.parquet.read_table(tmp_path / "t.parquet")
    assert [str(field.type) for field in table.schema] == [
        "string", "int64", "decimal128(38, 3)", "timestamp[us, tz=UTC]",
    ]  # fmt: skip
    rows = table.to_pylist()
    assert len(rows) == 12_000
    assert rows[0]["amount"] == Decimal("12345678901234567890.123")
    assert rows[0]["at"] == AT
    assert (rows[1]["amount"], rows[1]["at"]) == (Decimal("-0.010"), None)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_table_that_breaks_off_leaves_the_old_file(tmp_path: Path, form: str) -> None:
    def broken() -> Iterator[tuple[Any, ...]]:
        yield ROWS[0]
        raise RuntimeError("the source broke")

    (tmp_path / "t").write_text("old")
    with pytest.raises(RuntimeError, match="the source broke"):
        write_table(tmp_path / "t", form, COLUMNS, broken())
    assert [path.name for path in tmp_path.iterdir()] == ["t"]
    assert (tmp_path / "t").read_text() == "old"


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="csv, jsonl, parquet"):
        write_table(tmp_path / "t", "xlsx", COLUMNS, ROWS)
    assert list(tmp_path.iterdir()) == []
