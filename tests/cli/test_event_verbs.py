"""Usage events and usage tables, typed at the shell of a real shop."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from modelmint.testing.shops import Furnished, furnish


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    return furnish(tmp_path_factory.mktemp("shop") / "brightness")


@pytest.fixture
def typed(modelmint, shop: Furnished):
    def run(*words: str, **more):
        return modelmint("-C", str(shop.root), *words, **more)

    return run


def event(name: str, **data: Any) -> str:
    now = datetime.now(UTC).isoformat()
    return json.dumps({"specversion": "1.0", "id": name, "source": "/file", "type": "t", "time": now,
                       "data": {"meter": "pages", **data}})  # fmt: skip


def test_a_file_of_events_is_imported_once_listed_and_exported(typed, tmp_path: Path) -> None:
    file = tmp_path / "night.jsonl"
    file.write_text(f"{event('a', quantity=2)}\n\n{event('b', quantity='0.5')}\n")
    words = ("events", "import", str(file), "--customer", "Clinic North", "--json")
    first = typed(*words).json
    assert (first["accepted"], first["duplicates"]) == (2, 0)
    assert typed(*words).json["duplicates"] == 2
    listed = typed("events", "list", "--customer", "Clinic North", "--json").json
    assert [(one["id"], one["data"]["quantity"]) for one in listed["events"]] == [("a", "2"), ("b", "0.5")]
    assert "pages" in typed("events", "list", "--customer", "Clinic North", "--plain").out
    out = tmp_path / "out.jsonl"
    assert typed("events", "export", "--customer", "Clinic North", "-o", str(out), "--json").json["events"] == 2
    assert [json.loads(line) for line in out.read_text().splitlines()] == listed["events"]


def test_a_csv_file_of_events_is_imported(typed, tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_text(
        f"id,source,time,meter,quantity,model\nc1,/csv,{datetime.now(UTC).isoformat()},sheets,1.25,scanner\n"
    )
    assert typed("events", "import", str(file), "--customer", "Clinic North", "--json").json["accepted"] == 1
    rows = typed("usage", "Clinic North", "--by", "model", "--json").json["rows"]
    assert {"customer": "Clinic North", "model": "scanner", "meter": "sheets", "n": 1, "quantity": "1.25"} in rows


def test_a_file_with_one_bad_line_stores_nothing_and_names_every_bad_line(typed, tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(f"{event('x1')}\nno json\n{event('x2', quantity=-1)}\n")
    found = typed("events", "import", str(file), "--customer", "Clinic North", "--json")
    assert found.code == 2
    found = found.json["error"]
    assert [problem["index"] for problem in found["details"]["events"]] == [1, 2]
    assert "x1" not in typed("events", "list", "--customer", "Clinic North", "--json").out


def test_a_file_that_is_none_is_refused(typed, tmp_path: Path) -> None:
    assert "jsonl" in typed("events", "import", "night.txt", "--customer", "Clinic North").err
    assert "read" in typed("events", "import", str(tmp_path / "no.csv"), "--customer", "Clinic North").err


def test_usage_is_printed_as_csv(typed, tmp_path: Path) -> None:
    file = tmp_path / "csv.jsonl"
    typed("customers", "add", "=1+1", "--plan", "payg")
    file.write_text(event("k", model="reader"))
    said = typed("events", "import", str(file), "--customer", "=1+1").out
    assert "1 event recorded for" in said and "0 were known" in said
    printed = typed("usage", "=1+1", "--by", "model,day", "--csv").out
    header, *rows = csv.reader(io.StringIO(printed))
    assert header == ["customer", "model", "day", "meter", "n", "quantity"]
    assert [row[:2] for row in rows if row[3] == "pages"] == [["'=1+1", "reader"]]


def test_usage_by_something_that_is_no_dimension_is_refused(typed) -> None:
    assert "variant" in typed("usage", "--by", "colour").err
