from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modelmint.evaluation.errors import BadScores, NothingToJudge
from modelmint.evaluation.intervals import wilson
from modelmint.evaluation.judge import scorecard
from modelmint.evaluation.metrics import classification, ranking
from modelmint.kit.arrays import AnyArray
from modelmint.tasks.types import DecisionRule

TWO = ("well", "sick")
RULE = DecisionRule(positive="sick", threshold=0.5)


def made(n: int, k: int, seed: int = 0, skill: float = 2.0) -> tuple[AnyArray, AnyArray]:
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, k, n)
    logits = rng.normal(size=(n, k)).astype(np.float32)
    logits[np.arange(n), targets] += skill
    return targets, logits


def test_a_two_class_card_worked_by_hand() -> None:
    logits = np.array([[0, 2.0], [0, -1.0], [0, 1.0], [0, -3.0], [0, 0.5]])
    card = scorecard(np.array([1, 1, 0, 0, 1]), logits, TWO, RULE, "test")
    assert card.confusion == ((1, 1), (1, 2))
    assert card.metrics["accuracy"].value == 0.6
    assert card.metrics["sensitivity"].value == pytest.approx(2 / 3)
    assert (card.metrics["sensitivity"].n, card.metrics["specificity"].n) == (3, 2)
    assert card.metrics["specificity"].value == 0.5
    assert card.metrics["balanced_accuracy"].value == pytest.approx((2 / 3 + 0.5) / 2)
    assert card.metrics["auroc"].value == pytest.approx(4 / 6)
    sick = card.classes[1]
    assert (sick.label, sick.support) == ("sick", 3)
    assert (sick.precision.value, sick.recall.value) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert (card.split, card.labels, card.decision) == ("test", TWO, RULE)


def test_the_threshold_moves_the_answers_and_leaves_the_auroc() -> None:
    targets, logits = made(300, 2)
    low = scorecard(targets, logits, TWO, DecisionRule(positive="sick", threshold=0.1), "val")
    high = scorecard(targets, logits, TWO, DecisionRule(positive="sick", threshold=0.9), "val")
    assert low.metrics["sensitivity"].value > high.metrics["sensitivity"].value
    assert low.metrics["specificity"].value < high.metrics["specificity"].value
    assert low.metrics["auroc"] == high.metrics["auroc"]


def test_abstained_rows_count_in_accuracy_and_are_told_apart() -> None:
    logits = np.array([[0, 3.0], [0, 0.1], [0, -0.1], [0, -3.0]])
    rule = DecisionRule(positive="sick", threshold=0.5, abstain_low=0.4, abstain_high=0.6)
    card = scorecard(np.array([1, 0, 1, 0]), logits, TWO, rule, "val")
    assert card.metrics["accuracy"].value == 0.5
    assert card.metrics["abstained"].value == 0.5
    assert (card.metrics["answered_accuracy"].value, card.metrics["answered_accuracy"].n) == (1.0, 2)


def test_every_value_lies_inside_its_interval() -> None:
    for n, k in ((40, 2), (200, 5), (1, 3), (2, 2)):
        for seed in range(5):
            card = scorecard(*made(n, k, seed, 0.5), tuple(map(str, range(k))), DecisionRule(), "val", resamples=100)
            reports = [e for row in card.classes for e in (row.precision, row.recall, row.f1)]
            for estimate in (*card.metrics.values(), *reports):
                assert estimate.low <= estimate.value <= estimate.high, (n, k, seed, estimate)


def test_the_same_seed_gives_the_same_card_and_another_seed_other_bounds() -> None:
    targets, logits = made(200, 3)
    first, again, other = (
        scorecard(targets, logits, ("a", "b", "c"), DecisionRule(), "val", seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first.metrics["auroc"].value == other.metrics["auroc"].value
    assert first.metrics["auroc"].low != other.metrics["auroc"].low


def test_a_single_class_has_no_auroc_and_the_rest_stands() -> None:
    card = scorecard(np.array([1, 1, 1]), np.array([[0, 1.0], [0, 2.0], [0, -1.0]]), TWO, RULE, "val")
    assert "auroc" not in card.metrics
    assert "specificity" not in card.metrics
    assert card.metrics["sensitivity"].value == pytest.approx(2 / 3)
    assert "roc" not in card.curves


def test_a_label_without_rows_is_left_out_of_the_macro_means() -> None:
    targets, logits = made(100, 3)
    targets = np.where(targets == 2, 0, targets)
    logits[:, 2] = -50
    card = scorecard(targets, logits, ("a", "b", "c"), DecisionRule(), "val")
    assert card.classes[2].support == 0
    assert card.metrics["balanced_accuracy"].value == pytest.approx(
        np.mean([card.classes[i].recall.value for i in (0, 1)])
    )
    assert set(card.curves) == {"roc:a", "roc:b", "reliability"}


def test_perfect_scores_do_not_claim_to_be_certain() -> None:
    targets = np.arange(40) % 2
    card = scorecard(targets, np.stack([1 - targets, targets], 1) * 8.0, TWO, RULE, "val")
    for name in ("auroc", "accuracy", "sensitivity", "specificity", "balanced_accuracy", "f1_macro"):
        found = card.metrics[name]
        assert (found.value, found.high) == (1.0, 1.0)
        assert 0.8 < found.low < 0.95


def test_a_perfect_auroc_of_many_classes_rests_on_all_rows_and_of_two_on_the_smaller_class() -> None:
    targets = np.repeat(np.arange(10), 26)
    card = scorecard(targets, np.eye(10)[targets] * 8.0, tuple("abcdefghij"), DecisionRule(), "val", resamples=50)
    assert (card.metrics["auroc"].value, card.metrics["auroc"].high) == (1.0, 1.0)
    assert card.metrics["auroc"].low == wilson(260, 260).low == pytest.approx(0.985440, abs=1e-6)
    assert card.metrics["balanced_accuracy"].low == wilson(26, 26).low == pytest.approx(0.871271, abs=1e-6)
    two = np.array([0] * 234 + [1] * 26)
    card = scorecard(two, np.eye(2)[two] * 8.0, TWO, RULE, "val", resamples=50)
    assert card.metrics["auroc"].low == wilson(26, 26).low


def test_one_row_is_judged() -> None:
    card = scorecard(np.array([0]), np.array([[2.0, 0.0]]), TWO, RULE, "val")
    assert card.metrics["accuracy"].value == 1
    assert card.metrics["accuracy"].low < 0.25
    assert card.metrics["nll"].n == 1


def test_probabilities_that_round_to_one_do_not_make_ties() -> None:
    logits = np.array([[0, 60.0], [0, 50.0], [0, 55.0]])
    assert scorecard(np.array([1, 0, 1]), logits, TWO, RULE, "val").metrics["auroc"].value == 1.0


def test_bootstrap_intervals_cover_the_truth_about_95_times_in_100() -> None:
    from statistics import NormalDist

    truth = NormalDist().cdf(1.5 / np.sqrt(2))  # two unit normals 1.5 apart (the chance that one exceeds the other)
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        targets = np.arange(120) % 2
        scores = rng.normal(size=120) + 1.5 * targets
        card = scorecard(targets, np.stack([np.zeros(120), scores], 1), TWO, RULE, "val", seed, resamples=300)
        held += card.metrics["auroc"].low <= truth <= card.metrics["auroc"].high
    assert 178 <= held <= 199


@pytest.mark.parametrize(("n", "k", "curves", "passes"), [(600, 2, 1, 2), (10_000, 10, 10, 34)])
def test_a_thousand_resamples_sort_the_scores_once_and_are_summed_in_large_chunks(
    n: int, k: int, curves: int, passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sort, sorted_, summed = ranking.resampled_auroc, [], []

    def counted(positive: AnyArray, scores: AnyArray) -> Any:
        sorted_.append(len(scores))
        weighted: Any = sort(positive, scores)
        return lambda weights: (summed.append(weights.shape[1]), weighted(weights))[1]

    monkeypatch.setattr(ranking, "resampled_auroc", counted)
    targets, logits = made(n, k)
    card = scorecard(targets, logits, tuple(map(str, range(k))), DecisionRule(), "val")
    assert sorted_ == [n] * curves
    assert (len(summed), sum(summed)) == (curves * passes, curves * 1000)
    assert card.metrics["auroc"].n == n


def test_curves_are_thin_and_start_and_end_in_the_corners() -> None:
    targets, logits = made(5000, 2, skill=0.5)
    card = scorecard(targets, logits, TWO, RULE, "val", resamples=10)
    points = card.curves["roc"]
    assert len(points) <= 400
    assert (points[0], points[-1]) == ([0.0, 0.0], [1.0, 1.0])
    assert sum(row[4] for row in card.curves["reliability"]) == 5000


def test_judging_nothing_or_nonsense_is_refused() -> None:
    with pytest.raises(NothingToJudge):
        scorecard(np.array([], dtype=np.int64), np.empty((0, 2)), TWO, RULE, "val")
    for targets, logits in (
        (np.array([0]), np.zeros((1, 3))),
        (np.array([0, 1]), np.zeros((1, 2))),
        (np.array([2]), np.zeros((1, 2))),
        (np.array([0.5]), np.zeros((1, 2))),
        (np.array([0]), np.array([[np.inf, 0]])),
    ):
        with pytest.raises(BadScores):
            scorecard(targets, logits, TWO, RULE, "val")


def test_the_confusion_table_counts_truth_by_rows() -> None:
    table = classification.confusion(np.array([0, 0, 1]), np.array([1, 1, 0]), 2)
    assert table.tolist() == [[0, 2], [1, 0]]
