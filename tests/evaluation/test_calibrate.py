from __future__ import annotations

import math

import numpy as np
import pytest

from modelmint.evaluation.calibrate import fit_decision, fit_temperature, fit_threshold
from modelmint.evaluation.errors import BadScores, NothingToJudge
from modelmint.evaluation.metrics import calibration
from modelmint.kit.arrays import AnyArray
from modelmint.tasks.decision import abstentions, answers, log_probabilities, probabilities

LABELS = ("well", "sick")


def two_class(n: int = 500, seed: int = 0, sharp: float = 1.0) -> tuple[AnyArray, AnyArray]:
    """Targets drawn from known probabilities, and logits ``sharp`` times too sure of them."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(size=n) * 2
    targets = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)
    return targets, np.stack([np.zeros(n), log_odds * sharp], axis=1).astype(np.float32)


def test_logits_three_times_too_sure_get_a_temperature_of_about_three() -> None:
    targets, logits = two_class(20_000, sharp=3)
    assert fit_temperature(targets, logits.astype(np.float64)) == pytest.approx(3, rel=0.05)


def test_temperature_never_makes_the_likelihood_worse() -> None:
    for seed in range(20):
        targets, logits = two_class(60, seed, sharp=0.5 + seed / 5)
        found = fit_temperature(targets, logits.astype(np.float64))
        cooled, raw = log_probabilities(logits, found), log_probabilities(logits)
        assert calibration.nll(targets, cooled) <= calibration.nll(targets, raw) + 1e-12


def test_rows_that_are_all_right_do_not_become_certain() -> None:
    targets = np.arange(500) % 10
    logits = np.eye(10)[targets] * 4.0
    decision = fit_decision(targets, logits, tuple("0123456789"), None, 0)
    surest = probabilities(logits, decision.temperature).max()
    assert surest == pytest.approx(1 - 1 / 502, abs=1e-6)


def test_logits_worse_than_chance_get_the_highest_temperature_and_constant_ones_are_left_alone() -> None:
    targets, logits = two_class(200)
    assert fit_temperature(1 - targets, logits.astype(np.float64)) == 20.0
    assert fit_temperature(targets, np.zeros((200, 2))) == 1.0


def test_the_threshold_has_the_best_balanced_accuracy_of_all_cuts() -> None:
    targets, logits = two_class(300, seed=3)
    scores = logits[:, 1] - logits[:, 0]
    cut = fit_threshold(targets == 1, scores)

    def balanced(threshold: float) -> float:
        said = scores >= threshold
        return float((said[targets == 1].mean() + (~said)[targets == 0].mean()) / 2)

    assert balanced(cut) == pytest.approx(max(balanced(c) for c in [*scores, scores.max() + 1]), abs=1e-12)


@pytest.mark.parametrize("scale", [1e-4, 1, 1e4])
def test_the_scale_of_the_logits_does_not_cost_the_threshold_its_cut(scale: float) -> None:
    targets, logits = two_class(300, seed=3)
    decision = fit_decision(targets, logits * np.float32(scale), LABELS, "sick", 0)
    said = answers(probabilities(logits * np.float32(scale), decision.temperature), LABELS, decision)
    unscaled = fit_decision(targets, logits, LABELS, "sick", 0)
    assert np.array_equal(said, answers(probabilities(logits, unscaled.temperature), LABELS, unscaled))


def test_of_equally_good_cuts_the_one_in_the_widest_gap_is_taken() -> None:
    truth = np.array([False, False, True, False, True])
    scores = np.array([0.0, 1.0, 2.0, 8.0, 9.0])  # a cut at 1.5 and one at 8.5 err equally: 1/3 of 3, or 1/2 of 2
    assert fit_threshold(truth, scores) == 1.5
    assert fit_threshold(np.array([False, True, False, True]), np.array([0.0, 1.0, 5.0, 5.5])) == 0.5


def test_one_kind_of_row_or_one_score_leaves_even_odds() -> None:
    assert fit_threshold(np.array([True, True]), np.array([1.0, 2.0])) == 0.0
    assert fit_threshold(np.array([True, False]), np.array([1.0, 1.0])) == 0.0
    assert fit_decision(np.array([1, 1]), np.array([[0, 1.0], [0, 2.0]]), LABELS, "sick", 0).threshold == 0.5


@pytest.mark.parametrize("share", [0.0, 0.05, 0.1, 0.33, 0.5])
def test_the_band_holds_the_share_asked_for_and_the_least_certain_rows(share: float) -> None:
    targets, logits = two_class(400, seed=5, sharp=2)
    decision = fit_decision(targets, logits, LABELS, "sick", share)
    probs = probabilities(logits, decision.temperature)
    held = abstentions(probs, LABELS, decision)
    assert held.sum() == math.floor(share * 400)
    if share:
        assert decision.abstain_low is not None
        assert decision.abstain_high is not None
        assert decision.threshold is not None
        assert decision.abstain_low < decision.threshold < decision.abstain_high
    else:
        assert decision.abstain_low is None


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_many_labels_hold_back_the_share_asked_for(share: float) -> None:
    rng = np.random.default_rng(0)
    targets, logits = rng.integers(0, 5, 300), rng.normal(size=(300, 5))
    decision = fit_decision(targets, logits, tuple("abcde"), None, share)
    probs = probabilities(logits, decision.temperature)
    assert abstentions(probs, tuple("abcde"), decision).sum() == math.floor(share * 300)


def test_ties_at_the_edge_of_the_band_are_answered() -> None:
    logits = np.array([[0, 1.0]] * 5 + [[0, -1.0]] * 5)
    decision = fit_decision(np.array([1] * 5 + [0] * 5), logits, LABELS, "sick", 0.3)
    assert abstentions(probabilities(logits, decision.temperature), LABELS, decision).sum() == 0


def test_the_positive_label_may_stand_first() -> None:
    targets, logits = two_class(300, seed=3)
    last = fit_decision(targets, logits, LABELS, "sick", 0.1)
    first = fit_decision(1 - targets, logits[:, ::-1], LABELS[::-1], "sick", 0.1)
    assert last.threshold == pytest.approx(first.threshold, abs=1e-12)
    one = answers(probabilities(logits, last.temperature), LABELS, last)
    other = answers(probabilities(logits[:, ::-1], first.temperature), LABELS[::-1], first)
    assert np.array_equal(one, 1 - other)


def test_bad_input_is_refused_with_every_problem() -> None:
    with pytest.raises(NothingToJudge):
        fit_decision(np.array([], dtype=np.int64), np.empty((0, 2)), LABELS, "sick", 0)
    with pytest.raises(BadScores) as caught:
        fit_decision(np.array([0, 5]), np.array([[0.0, np.nan], [1.0, 2.0]]), LABELS, "sick", 0)
    assert len(caught.value.problems) == 2
    with pytest.raises(BadScores, match="'ill'"):
        fit_decision(np.array([0, 1]), np.zeros((2, 2)), LABELS, "ill", 0)
    with pytest.raises(BadScores, match=r"0\.7"):
        fit_decision(np.array([0, 1]), np.zeros((2, 2)), LABELS, "sick", 0.7)
