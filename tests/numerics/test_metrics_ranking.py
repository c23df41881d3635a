"""AUROC and ROC against scikit-learn, ties included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from modelmint.evaluation.metrics.ranking import auroc, macro_auroc, resampled_auroc, roc_curve
from modelmint.kit.arrays import AnyArray

metrics = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn to compare with")

#: Few distinct values, so that ties are the rule.
TIED = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])


@st.composite
def truth_and_scores(draw: st.DrawFn) -> tuple[AnyArray, AnyArray]:
    n = draw(st.integers(2, 60))
    truth = draw(hnp.arrays(np.bool_, n))
    truth[:2] = [True, False]
    scores = draw(hnp.arrays(np.float64, n, elements=st.one_of(TIED, st.floats(-5, 5))))
    return truth, scores


@settings(max_examples=200, deadline=None)
@given(truth_and_scores())
def test_auroc_equals_sklearn_with_ties(given_: tuple[AnyArray, AnyArray]) -> None:
    truth, scores = given_
    assert auroc(truth, scores) == pytest.approx(metrics.roc_auc_score(truth, scores), abs=1e-14)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 6))
def test_macro_auroc_equals_sklearn_one_against_the_rest(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    targets = np.concatenate([np.arange(k), rng.integers(0, k, 50)])
    scores = np.round(rng.dirichlet(np.ones(k), len(targets)), 12)
    scores /= scores.sum(axis=1, keepdims=True)
    wanted = metrics.roc_auc_score(targets, scores, multi_class="ovr", average="macro")
    assert macro_auroc(targets, scores) == pytest.approx(wanted, abs=1e-14)


@settings(max_examples=100, deadline=None)
@given(truth_and_scores())
def test_the_area_under_our_curve_is_the_auroc_and_its_points_are_sklearns(
    given_: tuple[AnyArray, AnyArray],
) -> None:
    truth, scores = given_
    false, true = roc_curve(truth, scores)
    assert np.trapezoid(true, false) == pytest.approx(metrics.roc_auc_score(truth, scores), abs=1e-12)
    wanted_false, wanted_true, _ = metrics.roc_curve(truth, scores, drop_intermediate=False)
    wanted = {(round(x, 12), round(y, 12)) for x, y in zip(wanted_false, wanted_true, strict=True)}
    assert {(round(x, 12), round(y, 12)) for x, y in zip(false, true, strict=True)} <= wanted
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)


@settings(max_examples=50, deadline=None)
@given(truth_and_scores(), st.integers(0, 1000))
def test_a_resampled_auroc_equals_sklearn_on_the_rows_drawn(given_: tuple[AnyArray, AnyArray], seed: int) -> None:
    truth, scores = given_
    weights = np.random.default_rng(seed).integers(0, 4, size=(len(truth), 7)).astype(np.float32)
    weights[:2] += 1  # both kinds are drawn
    weighted = resampled_auroc(truth, scores)
    assert weighted is not None
    for column, found in enumerate(weighted(weights)):
        rows = np.repeat(np.arange(len(truth)), weights[:, column].astype(int))
        assert found == pytest.approx(metrics.roc_auc_score(truth[rows], scores[rows]), abs=1e-6)


def test_one_kind_of_row_has_no_auroc() -> None:
    assert auroc(np.ones(3, dtype=bool), np.arange(3)) is None
    assert auroc(np.zeros(3, dtype=bool), np.arange(3)) is None
    assert macro_auroc(np.zeros(3, dtype=np.int64), np.ones((3, 3)) / 3) is None
    assert resampled_auroc(np.zeros(3, dtype=bool), np.arange(3)) is None
    assert len(roc_curve(np.zeros(3, dtype=bool), np.arange(3))[0]) == 0


def test_worked_by_hand() -> None:
    truth = np.array([1, 1, 0, 0, 1], dtype=bool)
    scores = np.array([0.9, 0.4, 0.4, 0.1, 0.3])  # pairs: 0.9 wins 2, 0.4 wins 1 and ties 1, 0.3 wins 1
    assert auroc(truth, scores) == (2 + 1.5 + 1) / 6


def test_a_large_auroc_is_exact_where_float32_would_not_be() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(200_000) < 0.3
    scores = np.round(rng.normal(size=200_000) + truth, 2)
    assert auroc(truth, scores) == pytest.approx(metrics.roc_auc_score(truth, scores), abs=1e-13)
