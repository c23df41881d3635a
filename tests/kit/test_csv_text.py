"""CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from modelmint.kit.csv_text import csv_lines, safe_cell


@pytest.mark.parametrize(
    "attack",
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", " =1", "＝1", "-1e9x", "%0A", "|x", "+ 5"],
)
def test_a_cell_that_begins_like_a_formula_is_marked_as_text(attack: str) -> None:
    assert safe_cell(attack) == "'" + attack


@pytest.mark.parametrize(
    ("value", "text"),
    [(-5, "-5"), (Decimal("-0.25"), "-0.25"), ("+4", "+4"), ("诊所", "诊所"), (None, ""), ("", ""), (" a", " a")],
)
def test_numbers_and_words_stay_what_they_are(value: object, text: str) -> None:
    assert safe_cell(value) == text


def test_commas_quotes_and_line_ends_come_back_as_they_went_in() -> None:
    rows = [["a,b", 'say "x"', "two\nlines"], ["北方", "", "1"]]
    text = "".join(csv_lines(["one", "two", "three"], rows))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["one", "two", "three"], *rows]
