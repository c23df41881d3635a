from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from modelmint.evaluation.types import GateResult
from modelmint.inference.types import Timing
from modelmint.kit.arrays import AnyArray
from modelmint.kit.estimate import Estimate
from modelmint.market.types import Amount, CostStatement
from modelmint.workshop.choose import Option, choose, paired_difference
from modelmint.workshop.types import Candidate

ROWS = 500


def wrong(count: int, start: int = 0) -> AnyArray:
    rows = np.zeros(ROWS, dtype=bool)
    rows[start : start + count] = True
    return rows


def option(
    name: str,
    *,
    value: str | None,
    size: int = 100,
    cpu: float = 1.0,
    errors: AnyArray | None = None,
    missed: AnyArray | None = None,
    failed: int = 0,
) -> Option:
    flat = Estimate(cpu, cpu * 0.99, cpu * 1.01, 40)
    candidate = Candidate(
        name=name, engine="onnxruntime", recipe=(), precision="float32", graph="g", graph_digest="d", size_bytes=size,
        parent=None, timing=Timing(flat, flat, flat, 1, 0.0, False),
    )  # fmt: skip
    amount = None if value is None else Amount(value, value, value)
    cost = CostStatement("USD", *[None] * 12, amount, None, 0.0, (), ())  # type: ignore[arg-type] # 12 unknown figures
    gates = tuple(GateResult(f"g{place}", ">= 1", 0.0, False) for place in range(failed))
    errors = wrong(0) if errors is None else errors
    return Option(candidate, cost, gates, errors, errors if missed is None else missed)


def test_the_greatest_value_inside_the_gates_wins() -> None:
    found = choose([option("a", value="100"), option("b", value="120"), option("c", value="500", failed=1)], Decimal(0))
    assert found.key == "b@onnxruntime"
    assert "20 USD more than a@onnxruntime" in found.why


def test_a_value_within_the_noise_of_errors_ties_and_fewer_bytes_win() -> None:
    # One error more of 500 at 0.50 USD a call and 200,000 calls costs 200 USD: far less than its interval.
    options = [
        option("float", value="1000", size=400, errors=wrong(10)),
        option("int8", value="900", size=100, errors=np.roll(wrong(11), 1)),
    ]
    found = choose(options, Decimal("100000"))
    assert found.key == "int8@onnxruntime"
    assert "fewest bytes" in found.why


def test_a_certain_saving_is_no_tie_where_errors_agree() -> None:
    options = [
        option("float", value="1000", size=100, errors=wrong(10)),
        option("int8", value="1001", size=400, errors=wrong(10)),
    ]
    assert choose(options, Decimal("100000")).key == "int8@onnxruntime"


def test_clearly_better_accuracy_beats_bytes_when_values_tie() -> None:
    options = [
        option("float", value="100", size=400, errors=wrong(5)),
        option("int8", value="100", size=100, errors=wrong(60)),
    ]
    found = choose(options, Decimal(0))
    assert found.key == "float@onnxruntime"
    assert "most accurate" in found.why


def test_an_answer_left_open_is_no_accuracy() -> None:
    # int8 leaves open what it would get wrong: no error that costs, but it knows less than float does.
    options = [
        option("float", value="100", size=400, errors=wrong(5), missed=wrong(5)),
        option("int8", value="100", size=100, errors=wrong(5), missed=wrong(60)),
    ]
    assert choose(options, Decimal(0)).key == "float@onnxruntime"


def test_errors_that_cost_much_turn_the_choice() -> None:
    options = [
        option("float", value="-500", size=400, errors=wrong(5)),
        option("int8", value="-6000", size=100, errors=wrong(60)),
    ]
    assert choose(options, Decimal("50000")).key == "float@onnxruntime"


def test_without_a_value_the_cheapest_in_cpu_time_wins() -> None:
    found = choose([option("a", value=None, cpu=2.0), option("b", value=None, cpu=1.0)], Decimal(0))
    assert found.key == "b@onnxruntime"
    assert "lowest CPU time" in found.why


def test_without_a_value_equal_times_go_to_fewer_bytes() -> None:
    options = [option("a", value=None, cpu=1.0, size=400), option("b", value=None, cpu=1.005, size=100)]
    assert choose(options, Decimal(0)).key == "b@onnxruntime"


def test_a_candidate_without_a_value_gives_way_to_one_that_has_it() -> None:
    assert choose([option("a", value=None, cpu=0.1), option("b", value="-5")], Decimal(0)).key == "b@onnxruntime"


def test_a_single_candidate_is_chosen_and_said_to_be_the_only_one() -> None:
    assert "only candidate inside the gates" in choose([option("a", value="1")], Decimal(0)).why


def test_where_none_is_inside_the_gates_the_nearest_is_compared() -> None:
    found = choose([option("a", value="100", failed=2), option("b", value="50", failed=1)], Decimal(0))
    assert found.key == "b@onnxruntime"
    assert "fail only 1" in found.why


def test_a_waived_gate_does_not_count() -> None:
    waived = option("a", value="100")
    gates = (GateResult("p99_ms", "<= 1", 5.0, False, "a slow test machine"),)
    found = choose(
        [Option(waived.candidate, waived.cost, gates, waived.wrong, waived.missed), option("b", value="50")], Decimal(0)
    )
    assert found.key == "a@onnxruntime"


def test_with_value_accuracy_and_bytes_tied_the_lower_cpu_time_decides() -> None:
    options = [
        option("a", value="110", cpu=2.0, errors=wrong(10)),
        option("b", value="100", cpu=1.0, errors=np.roll(wrong(11), 1)),
    ]
    found = choose(options, Decimal("100000"))
    assert found.key == "b@onnxruntime"
    assert "less CPU time than a@onnxruntime" in found.why


@pytest.mark.parametrize(("up", "down", "holds_zero"), [(0, 0, True), (1, 0, True), (30, 5, False), (10, 10, True)])
def test_the_paired_difference_is_surely_positive_only_when_it_is(up: int, down: int, holds_zero: bool) -> None:
    found = paired_difference(wrong(up), wrong(down, start=100))
    assert found.value == pytest.approx((up - down) / ROWS)
    assert (found.low <= 0 <= found.high) is holds_zero


def test_a_difference_below_one_coin_is_none() -> None:
    # 3 of 500 errors at 100,000: 600 exactly; the values say 600.004 for rounding.
    options = [
        option("float", value="1000.004", size=400, errors=wrong(10)),
        option("int8", value="400.00", size=100, errors=wrong(13)),
    ]
    assert choose(options, Decimal("100000")).key == "int8@onnxruntime"
