from __future__ import annotations

import io
import json
from decimal import Decimal

import pytest

from modelmint.cli.output import Output
from modelmint.cli.types import Column, GlobalOptions, TableView
from modelmint.cli.views.plain import as_json
from modelmint.kit.errors import InvalidInput, LimitExceeded
from modelmint.kit.money import Money, UnitPrice
from modelmint.sdk.progress import PlainProgress
from modelmint.sdk.tables import plain_text
from modelmint.sdk.views.figures import amount, interval, seconds, short, size

VIEW = TableView("Two", (Column("name"), Column("n", True)), (("a", "1"), ("模铸", "12,000")), {0: "good"}, "Below.")


def test_plain_tables_align_figures_right_and_count_chinese_characters_as_two() -> None:
    assert plain_text(VIEW) == "Two\nname       n\n----  ------\na          1\n模铸  12,000\nBelow."


def test_a_cell_with_two_lines_takes_two_lines() -> None:
    view = TableView("", (Column("a"), Column("b")), (("x", "1\n2"),), {})
    assert plain_text(view).splitlines()[2:] == ["x  1", "   2"]


def test_json_answers_are_one_line_and_nan_becomes_null() -> None:
    file = io.StringIO()
    Output(GlobalOptions(json=True), file).answer({"value": float("nan"), "all": [float("inf"), 1.5]}, lambda _: None)
    assert file.getvalue() == '{"value": null, "all": [null, 1.5]}\n'


def test_with_json_a_failure_after_the_answer_adds_nothing_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    file = io.StringIO()
    out = Output(GlobalOptions(json=True), file)
    out.answer({"a": 1}, lambda _: None)
    out.error("late", "something broke afterwards")
    assert json.loads(file.getvalue()) == {"a": 1}
    assert "late: something broke afterwards" in capsys.readouterr().err


def test_an_error_with_json_carries_code_problems_details_and_when_to_retry() -> None:
    file = io.StringIO()
    error = LimitExceeded("too fast", problems=["61 calls"], details={"plan": "trial"}, retry_after=2.5)
    Output(GlobalOptions(json=True), file).error(error.code, error.message, error)
    assert json.loads(file.getvalue()) == {
        "error": {
            "code": "limit_exceeded",
            "message": "too fast",
            "problems": ["61 calls"],
            "details": {"plan": "trial"},
            "retry_after": 2.5,
        }
    }


def test_errors_for_people_list_every_problem_and_square_brackets_stay_as_they_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = io.StringIO()
    error = InvalidInput("2 problems in venture.toml", problems=["line 3: [data] is missing", "line 9: x"])
    Output(GlobalOptions(), file).error(error.code, error.message, error)
    assert file.getvalue() == ""
    assert capsys.readouterr().err == "2 problems in venture.toml\n  - line 3: [data] is missing\n  - line 9: x\n"


def test_plain_progress_tells_steps_and_time_left_without_control_characters() -> None:
    file = io.StringIO()
    progress = PlainProgress(file, every=0)
    progress.step("train")
    progress.step("prepare", cached=True)
    with progress.bar("epoch", 4) as bar:
        bar.advance(1, loss=0.5)
    lines = file.getvalue().splitlines()
    assert lines[:2] == ["train", "prepare (unchanged)"]
    assert lines[2].startswith("  epoch 1/4, about ")
    assert lines[2].endswith("loss 0.5")
    assert "\x1b" not in file.getvalue()


def test_money_in_json_is_exact_and_readable() -> None:
    assert as_json(Money(400, "USD")) == {"minor": 400, "currency": "USD", "text": "4.00 USD"}
    assert as_json({"each": UnitPrice(Decimal("0.02"), "USD")}) == {"each": "0.02 USD"}


def test_figures_read_without_exponents() -> None:
    assert short(0.0000123) == "0.0000123"
    assert short(1234.5) == "1,234"
    assert short({"value": 0.9571, "low": 0.9, "high": 1.0, "n": 3}) == "0.957"
    assert (size(999), size(18_800_000), size(4500)) == ("999 B", "18.80 MB", "4.5 kB")
    assert (seconds(3.21), seconds(125.4)) == ("3.2 s", "2 min 05 s")
    assert interval({"value": 0.96, "low": 0.95, "high": 0.97, "n": 10}) == "0.960 [0.950, 0.970]"
    assert (amount(None, "USD", 2), amount("value not computable", None, 2)) == ("-", "value not computable")
