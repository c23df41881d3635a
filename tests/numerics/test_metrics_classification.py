"""Accuracy, precision, recall, F1 and the confusion matrix against scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmint.evaluation.metrics import classification
from modelmint.kit.arrays import AnyArray

metrics = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn to compare with")


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, AnyArray, AnyArray]:
    k = draw(st.integers(2, 6))
    n = draw(st.integers(1, 50))
    label = st.integers(0, k - 1)
    rows = st.lists(label, min_size=n, max_size=n)
    return k, np.array(draw(rows)), np.array(draw(rows))


@settings(max_examples=200, deadline=None)
@given(tables())
def test_everything_equals_sklearn(given_: tuple[int, AnyArray, AnyArray]) -> None:
    k, truth, answers = given_
    labels = list(range(k))
    table = classification.confusion(truth, answers, k)
    assert np.array_equal(table, metrics.confusion_matrix(truth, answers, labels=labels))
    assert classification.accuracy(table) == metrics.accuracy_score(truth, answers)
    wanted = metrics.precision_recall_fscore_support(truth, answers, labels=labels, zero_division=0)
    found = classification.per_class(table)
    for ours, theirs in zip((found.precision, found.recall, found.f1, found.support), wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-15)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of answers that are never true
        balanced = metrics.balanced_accuracy_score(truth, answers)
    assert classification.balanced_accuracy(table) == pytest.approx(balanced, abs=1e-15)
    macro = metrics.f1_score(truth, answers, average="macro", zero_division=0)
    assert classification.f1_macro(table) == pytest.approx(macro, abs=1e-15)
