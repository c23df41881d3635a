from __future__ import annotations

import math

import numpy as np
import pytest

from modelmint.kit.arrays import AnyArray
from modelmint.tasks.answers import present
from modelmint.tasks.errors import BadDecisionRule, BadOutputs
from modelmint.tasks.registry import TASKS
from modelmint.tasks.types import DecisionRule, ModelSpec, Prediction

TASK = TASKS.get("image-classification")


def decode(outputs: list[list[float]], labels: tuple[str, ...], rule: DecisionRule) -> list[Prediction]:
    spec = ModelSpec("image-classification", {}, labels, rule)
    return TASK.decode(np.array(outputs, dtype=np.float32), spec)


def test_probabilities_are_the_softmax_of_the_cooled_logits() -> None:
    (found,) = decode([[1.0, 3.0]], ("no", "yes"), DecisionRule(temperature=2.0))
    assert found.probabilities[1] == pytest.approx(1 / (1 + math.exp(-1)), abs=1e-15)
    assert sum(found.probabilities) == pytest.approx(1, abs=1e-15)
    assert found == Prediction("yes", found.probabilities[1], found.probabilities, abstained=False)


def test_the_threshold_of_the_positive_label_decides_and_is_itself_positive() -> None:
    rule = DecisionRule(positive="sick", threshold=0.25)
    at = math.log(1 / 3)  # log odds of 0.25
    found = decode([[0, at + 1e-6], [0, at - 1e-3]], ("well", "sick"), rule)
    assert [one.label for one in found] == ["sick", "well"]
    assert found[0].probability == pytest.approx(0.25, abs=1e-6)
    (exact,) = decode([[0.0, 0.0]], ("well", "sick"), DecisionRule(positive="sick", threshold=0.5))
    assert exact.label == "sick"


def test_the_positive_label_may_stand_first() -> None:
    rule = DecisionRule(positive="sick", threshold=0.9)
    assert [one.label for one in decode([[1, 0], [5, 0]], ("sick", "well"), rule)] == ["well", "sick"]


def test_the_band_around_the_threshold_abstains_and_keeps_its_label() -> None:
    rule = DecisionRule(positive="sick", threshold=0.5, abstain_low=0.4, abstain_high=0.6)
    found = decode([[0, 0.1], [0, 2], [0, -2]], ("well", "sick"), rule)
    assert [(one.label, one.abstained) for one in found] == [("sick", True), ("sick", False), ("well", False)]


def test_many_labels_abstain_below_the_least_probability() -> None:
    found = decode([[0, 0.1, 0], [9, 0, 0]], ("a", "b", "c"), DecisionRule(min_probability=0.5))
    assert [(one.label, one.abstained) for one in found] == [("b", True), ("a", False)]


def test_a_row_decodes_to_the_same_answer_alone_and_in_a_batch() -> None:
    logits = np.random.default_rng(0).normal(size=(65, 7)).astype(np.float32)
    spec = ModelSpec("image-classification", {}, tuple("abcdefg"), DecisionRule(temperature=1.7))
    assert TASK.decode(logits, spec) == [TASK.decode(row[None], spec)[0] for row in logits]


def test_huge_logits_do_not_overflow() -> None:
    (found,) = decode([[3e38, -3e38]], ("a", "b"), DecisionRule())
    assert found.probabilities == (1.0, 0.0)


@pytest.mark.parametrize(
    "outputs", [np.zeros((2, 3)), np.zeros(2), np.array([[0.0, np.nan]]), np.array([[np.inf, 0.0]])]
)
def test_outputs_that_cannot_be_answers_are_refused(outputs: AnyArray) -> None:
    with pytest.raises(BadOutputs):
        TASK.decode(outputs, ModelSpec("image-classification", {}, ("a", "b"), DecisionRule()))


def test_a_rule_that_does_not_fit_the_labels_lists_every_problem() -> None:
    rule = DecisionRule(temperature=0, positive="cat", threshold=2, abstain_low=0.1)
    with pytest.raises(BadDecisionRule) as caught:
        decode([[0, 1]], ("a", "b"), rule)
    assert len(caught.value.problems) == 4


def test_an_answer_is_plain_json_in_label_order() -> None:
    found = present(Prediction("b", 0.75, (0.25, 0.75), abstained=True), ("a", "b"))
    assert found == {"label": "b", "probability": 0.75, "probabilities": {"a": 0.25, "b": 0.75}, "abstained": True}
    assert list(found["probabilities"]) == ["a", "b"]
