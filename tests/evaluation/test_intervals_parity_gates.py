from __future__ import annotations

import numpy as np
import pytest

from modelmint.evaluation.errors import BadScores, NothingToJudge
from modelmint.evaluation.gates import blocking, check, table
from modelmint.evaluation.intervals import percentile, resample_weights, wilson
from modelmint.evaluation.parity import Parity, compare
from modelmint.tasks.types import DecisionRule
from modelmint.venture.sections.gates import GatesSection


def test_wilson_gives_the_textbook_bounds() -> None:
    found = wilson(8, 10)
    assert (found.low, found.high) == (pytest.approx(0.490162, abs=1e-6), pytest.approx(0.943318, abs=1e-6))
    assert (wilson(0, 10).low, wilson(0, 10).high) == (0.0, pytest.approx(0.277533, abs=1e-6))
    assert (wilson(10, 10).low, wilson(10, 10).high) == (pytest.approx(0.722467, abs=1e-6), 1.0)
    assert (wilson(0, 0).low, wilson(0, 0).high, wilson(0, 0).n) == (0.0, 1.0, 0)


def test_every_resample_keeps_the_class_sizes() -> None:
    strata = np.array([0] * 3 + [1] * 50 + [2])
    chunks = list(resample_weights(strata, 70, seed=0))
    weights = np.concatenate(chunks, axis=1)
    assert weights.shape == (54, 70)
    for stratum, size in ((0, 3), (1, 50), (2, 1)):
        assert (weights[strata == stratum].sum(axis=0) == size).all()
    assert len(np.unique(weights[:3], axis=1).T) > 5


def test_chunks_do_not_change_how_many_resamples_there_are() -> None:
    assert sum(chunk.shape[1] for chunk in resample_weights(np.zeros(30_000, dtype=np.int64), 100, 0)) == 100


def test_a_centred_interval_moves_the_draws_to_the_value() -> None:
    draws = np.linspace(0.2, 0.4, 1001)
    plain, centred = percentile(0.1, draws, 10), percentile(0.1, draws, 10, centred=True)
    assert (plain.low, plain.high) == (0.1, pytest.approx(0.395))
    assert (centred.low, centred.high) == (pytest.approx(0.005), pytest.approx(0.195))


def test_parity_measures_differences_and_counts_flips() -> None:
    parent = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    child = np.array([[0.8, 0.2], [0.4, 0.6], [0.2, 0.8]])
    found = compare(parent, child)
    assert found == Parity(pytest.approx(0.1), pytest.approx(0.2), 1, 3)
    assert found.flip_share == pytest.approx(1 / 3)


def test_parity_flips_by_the_decision_rule_where_there_is_one() -> None:
    parent, child = np.array([[0.75, 0.25]]), np.array([[0.65, 0.35]])
    rule = DecisionRule(positive="sick", threshold=0.3)
    assert compare(parent, child).flips == 0
    assert compare(parent, child, ("well", "sick"), rule).flips == 1


def test_a_child_with_nan_differs_wholly_and_flips() -> None:
    found = compare(np.array([[1.0, 0.0]]), np.array([[np.nan, np.nan]]))
    assert (found.max_difference, found.flips) == (1.0, 1)


def test_parity_of_different_shapes_or_nothing_is_refused() -> None:
    with pytest.raises(BadScores):
        compare(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(NothingToJudge):
        compare(np.zeros((0, 2)), np.zeros((0, 2)))


GATES = GatesSection.model_validate(
    {"auroc": ">= 0.95", "p99_ms": "<= 50", "ece": "< 0.1", "waive": {"p99_ms": "runs overnight, nobody waits"}}
)


def test_gates_pass_on_the_bound_and_fail_beyond_it() -> None:
    found = check(GATES.bounds(), {"auroc": 0.95, "p99_ms": 50.1, "ece": 0.1}, {})
    assert [(gate.name, gate.wanted, gate.passed) for gate in found] == [
        ("auroc", ">= 0.95", True), ("ece", "< 0.1", False), ("p99_ms", "<= 50", False),
    ]  # fmt: skip
    assert [gate.name for gate in blocking(found)] == ["ece", "p99_ms"]


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), float("-inf")])
def test_what_was_not_measured_fails(value: float | None) -> None:
    found = check(GATES.bounds(), {"auroc": value, "p99_ms": value, "ece": value}, {})
    assert not any(gate.passed for gate in found)
    assert all(gate.found is None for gate in found)
    assert not any(gate.passed for gate in check(GATES.bounds(), {}, {}))


def test_a_waived_gate_does_not_block_and_is_shown_as_failed_with_its_reason() -> None:
    found = check(GATES.bounds(), {"auroc": 0.99, "p99_ms": None, "ece": 0.01}, GATES.waive)
    waived = found[2]
    assert (waived.passed, waived.waived) == (False, "runs overnight, nobody waits")
    assert blocking(found) == ()
    text = table(found)
    assert "not measured" in text
    assert "waived: runs overnight" in text


@pytest.mark.parametrize(
    ("wanted", "value", "shown"),
    [
        (">= 0.95", 0.9499999, "0.9499999"),
        (">= 0.95", 0.9499999999999998, "0.9499999999999998"),
        (">= 0.95", 0.949912345, "0.949912"),
        ("> 0.95", 0.95, "0.95"),
        ("<= 1_000_000", 1_000_001.0, "1000001"),
        ("<= 0.95000004", 0.95000005, "0.95000005"),
    ],
)
def test_a_value_that_fails_is_never_shown_as_if_it_stood_on_its_bound(wanted: str, value: float, shown: str) -> None:
    (result,) = check(GatesSection.model_validate({"auroc": wanted}).bounds(), {"auroc": value}, {})
    assert not result.passed
    assert table([result]).splitlines()[1].split()[-2:] == [shown, "FAILED"]


def test_a_waiver_of_a_gate_that_passed_is_not_shown() -> None:
    assert check(GATES.bounds(), {"auroc": 1, "p99_ms": 1, "ece": 0}, GATES.waive)[2].waived is None
