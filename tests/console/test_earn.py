"""*What will I earn*: what the page shows, what it refuses, and that its figures are the build's arithmetic."""

from __future__ import annotations

import html
import re
import shutil
from typing import Any
from urllib.parse import urlencode

from modelmint.kit.clock import SystemClock
from modelmint.kit.machine import this_machine
from modelmint.releases import statements

WRONG = {"value": 0.01, "low": 0.005, "high": 0.02, "n": 400, "level": 0.95}
COST: dict[str, Any] = {
    "candidate": "int8@onnxruntime",
    "calls_per_second": 100.0,
    "wrong_share": WRONG,
    "abstained_share": 0.0,
    "load_test": {"p99_limit_ms": 50.0},
    "measured_on": {"processor": "Slow Chip 1", "cores": 2},
}
ROWS = [
    {"name": "int8", "engine": "onnxruntime", "calls_per_second": 100.0, "wrong_share": WRONG, "chosen": True},
    {"name": "onnx-fp32", "engine": "openvino", "calls_per_second": 0.01, "wrong_share": WRONG, "chosen": False},
]


def measure(desk: Any, machine: str = "") -> None:
    """Statements as a build would write them, with figures that are easy to work with."""
    release = desk.shop.shelf.get(desk.furnished.release)
    for kind, body in (("cost", COST), ("timings", {"candidates": ROWS})):
        keyfile = desk.shop.workspace / "keys" / "statements.pem"
        statements.add(release, kind, body, keyfile, machine or this_machine().fingerprint, SystemClock())


def figures(reader: Any, **fields: object) -> str:
    """The fragment that the sliders ask for, as a reader reads it."""
    answer = reader.get("/console/earn/figures?" + urlencode(fields))
    assert answer.status_code == 200, answer.text
    assert "−0.00" not in answer.text
    return read(answer.text)


def read(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def value(text: str) -> str:
    found = re.search(r"(?:Monthly value|每月价值) (−?[\d,.]+ [A-Z]{3})", text)
    assert found, text
    return found[1]


def test_the_page_begins_with_what_the_venture_states(desk: Any, founder: Any) -> None:
    measure(desk)
    page = founder.get("/console/earn")
    assert page.status_code == 200
    assert 'name="calls" type="number"' in page.text and 'value="10000"' in page.text
    assert "connect-src 'self'" in page.headers["content-security-policy"]
    text = read(page.text)
    # 5,000 calls on payg at 0.02 and one clinic at 49 USD, less one machine: 730 h x 0.08
    assert value(text) == "90.60 USD"
    assert "served as brightness" in text and "100 within p99 of 50 ms" in text
    assert "n = 400" in text and "a wrong answer costs nothing" in text


def test_every_other_page_may_not_fetch(founder: Any) -> None:
    assert "connect-src" not in founder.get("/console/overview").headers["content-security-policy"]


def test_what_is_moved_moves_the_figures(desk: Any, founder: Any) -> None:
    measure(desk)
    assert value(figures(founder, **{"mix.payg": 100, "mix.clinic": 0})) == "141.60 USD"  # 200 - 58.40
    assert value(figures(founder, **{"mix.payg": 100, "mix.clinic": 0, "prices": 50})) == "41.60 USD"
    assert value(figures(founder, **{"mix.payg": 100, "mix.clinic": 0, "fee": 10})) == "121.60 USD"
    dear = figures(founder, **{"mix.payg": 100, "mix.clinic": 0, "wrong": 1})
    assert value(dear) == "41.60 USD"  # 10,000 x 0.01 x 1 USD
    assert "−58.40 USD to 91.60 USD" in dear, "the interval of the errors"


def test_the_break_even_is_told_in_calls_and_in_price(desk: Any, founder: Any) -> None:
    measure(desk)
    text = figures(founder, **{"mix.payg": 100, "mix.clinic": 0})
    assert re.search(r"Break-even 2,920 calls a month", text)  # 58.40 / 0.02
    assert re.search(r"Break-even price of a call 0\.00584 USD", text)


def test_the_machines_and_the_next_one_come_from_the_measured_rate(desk: Any, founder: Any) -> None:
    measure(desk)
    # 100 calls/s x 2,628,000 s / 4 = 65,700,000 calls a month on one machine
    text = figures(founder, calls=65_700_001)
    assert re.search(r"Machines 2 busiest hour", text)
    assert "needed from 131,400,001 calls a month" in text


def test_without_a_stated_demand_it_says_so_and_assumes_nothing(desk: Any, founder: Any) -> None:
    measure(desk)
    text = figures(founder, what=f"{desk.furnished.release[:16]}.brightness", machine="0.08", peak=4, **{"mix.payg": 1})
    assert "Monthly value Not stated: move the slider" in text
    assert "How it comes about" not in text and "Break-even 2,920" in text


def test_where_no_value_can_be_computed_no_break_even_is_claimed(desk: Any, founder: Any) -> None:
    release = desk.shop.shelf.get(desk.furnished.release)
    keyfile = desk.shop.workspace / "keys" / "statements.pem"
    unjudged = {name: stated for name, stated in COST.items() if name != "wrong_share"}
    statements.add(release, "cost", unjudged, keyfile, this_machine().fingerprint, SystemClock())
    text = figures(founder, calls=10_000, machine="0.08", wrong="0.01", peak=4, **{"mix.payg": 1}, lang="en")
    assert "Monthly value Not computable" in text
    assert "Break-even –" in text and "never" not in text


def test_no_calls_at_all_cost_the_machine(desk: Any, founder: Any) -> None:
    measure(desk)
    assert value(figures(founder, calls=0)) == "−58.40 USD"


def test_a_trial_in_the_mix_brings_nothing(desk: Any, founder: Any) -> None:
    measure(desk)
    assert value(figures(founder, **{"mix.payg": 50, "mix.clinic": 0, "mix.trial": 50})) == "41.60 USD"


#: What is typed, and what is said of it.
REFUSED: tuple[tuple[dict[str, object], str], ...] = (
    ({"calls": 10**15}, "expected 'calls' as a whole number from 0 to 1000000000000, found '1000000000000000'"),
    ({"calls": "1.5"}, "expected 'calls' as a whole number"),
    ({"calls": "-3"}, "found '-3'"),
    ({"calls": "1e9"}, "found '1e9'"),
    ({"peak": "0.5"}, "expected 'peak' as a number from 1 to 1000"),
    ({"machine": "nan"}, "expected 'machine' as a number"),
    ({"fee": "101"}, "expected 'fee' as a number from 0 to 100"),
    ({"mix.payg": "200"}, "expected 'payg' as a number from 0 to 100"),
    ({"mix.payg": 0, "mix.clinic": 0}, "expected at least one plan with a share"),
    ({"what": "nothing"}, "expected 'what' as a release and its model, found 'nothing'"),
    ({"what": "../../etc/passwd.x"}, "expected 'what' as a release and its model"),
    ({"calls": "<script>", "fee": "'\""}, "found '<script>'"),
)


def test_what_cannot_be_valued_is_said_and_is_no_failure(desk: Any, founder: Any) -> None:
    measure(desk)
    for fields, said in REFUSED:
        for path in ("/console/earn?", "/console/earn/figures?"):
            answer = founder.get(path + urlencode({**fields, "lang": "en"}))
            assert answer.status_code == 422 and said in read(answer.text), read(answer.text)
            assert "<script>" not in re.sub(r"<script src=[^>]*>", "", answer.text)
            chinese = founder.get(path + urlencode({**fields, "lang": "zh"}))
            assert chinese.status_code == 422 and "expected" not in read(chinese.text)


def test_every_problem_is_told_at_once(desk: Any, founder: Any) -> None:
    measure(desk)
    text = read(founder.get("/console/earn?calls=x&fee=x&machine=x").text)
    assert all(f"expected '{name}'" in text for name in ("calls", "fee", "machine"))


def test_another_candidate_of_the_build_has_its_own_month(desk: Any, founder: Any) -> None:
    measure(desk)
    text = figures(founder, **{"mix.payg": 100, "mix.clinic": 0})
    # 10,000 calls at a peak of 4 are 0.0152 calls a second: two machines of 0.01
    assert re.search(r"onnx-fp32 openvino 0\.01 2 83\.20 USD", text)


def test_a_measurement_of_another_machine_is_named(desk: Any, founder: Any) -> None:
    measure(desk, machine="f" * 16)
    text = figures(founder)
    assert "measured on another machine" in text and "Slow Chip 1, 2 cores" in text


def test_a_release_that_nobody_measured_has_no_figures(desk: Any, founder: Any) -> None:
    assert "carries no cost statement" in figures(founder)


def test_in_chinese_nothing_is_left_in_english(desk: Any, founder: Any) -> None:
    measure(desk)
    text = read(founder.get("/console/earn?lang=zh").text)
    assert value(text) == "90.60 USD" and "盈亏平衡" in text
    for english in ("nothing, as", "calls a month", "not stated", "Monthly", "customer of"):
        assert english not in text
    assert "⟦" not in text


def test_only_the_founder_sees_it(desk: Any, customer: Any) -> None:
    for path in ("/console/earn", "/console/earn/figures"):
        assert customer.get(path).status_code == 403
        assert desk.reader().client.get(path, follow_redirects=False).status_code == 303


def test_an_empty_shelf_says_how_to_fill_it(desk: Any, founder: Any) -> None:
    shutil.rmtree(desk.shop.workspace / "releases")
    assert "There is no release yet" in read(founder.get("/console/earn").text)
