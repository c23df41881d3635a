"""Brier and log loss against scikit-learn, temperature against torch's optimiser, ECE against the paper's formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmint.evaluation.calibrate import fit_temperature
from modelmint.evaluation.metrics import calibration
from modelmint.kit.arrays import AnyArray
from modelmint.tasks.decision import log_probabilities, probabilities

metrics = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn to compare with")


def made(seed: int, k: int, n: int = 80) -> tuple[AnyArray, AnyArray]:
    rng = np.random.default_rng(seed)
    targets = np.concatenate([np.arange(k), rng.integers(0, k, n)])
    logits = np.round(rng.normal(size=(len(targets), k)) * 2, 1)
    logits[np.arange(len(targets)), targets] += 1
    return targets, logits.astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_brier_of_two_labels_equals_sklearn(seed: int) -> None:
    targets, logits = made(seed, 2)
    probs = probabilities(logits)
    wanted = metrics.brier_score_loss(targets, probs[:, 1])
    assert calibration.brier(targets, probs) == pytest.approx(wanted, abs=1e-14)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(3, 7))
def test_brier_of_more_labels_is_the_sum_over_them_as_in_sklearn(seed: int, k: int) -> None:
    targets, logits = made(seed, k)
    probs = probabilities(logits)
    wanted = metrics.brier_score_loss(targets, probs, labels=list(range(k)))
    assert calibration.brier(targets, probs) == pytest.approx(wanted, abs=1e-14)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(2, 7), st.floats(0.3, 5))
def test_log_loss_equals_sklearn(seed: int, k: int, temperature: float) -> None:
    targets, logits = made(seed, k)
    found = calibration.nll(targets, log_probabilities(logits, temperature))
    wanted = metrics.log_loss(targets, probabilities(logits, temperature), labels=list(range(k)))
    assert found == pytest.approx(wanted, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(2, 12))
def test_ece_is_the_papers_sum_over_bins(seed: int, k: int) -> None:
    targets, logits = made(seed, k)
    probs = probabilities(logits)
    confidence, correct = probs.max(axis=1), probs.argmax(axis=1) == targets
    wanted = 0.0
    for low, high in zip(np.linspace(0, 1, 16)[:-1], np.linspace(0, 1, 16)[1:], strict=True):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            wanted += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    assert calibration.ece(confidence, correct) == pytest.approx(wanted, abs=1e-12)
    bins = calibration.reliability(confidence, correct)
    gaps = np.abs(bins.accuracy - bins.confidence) * bins.count
    assert gaps.sum() / len(targets) == pytest.approx(wanted, abs=1e-12)
    assert bins.count.sum() == len(targets)


@pytest.mark.parametrize(("seed", "k"), [(0, 2), (1, 2), (2, 5), (3, 10), (4, 30)])
def test_temperature_equals_the_minimum_that_torch_finds(seed: int, k: int) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra 'workshop'")
    targets, logits = made(seed, k, n=300)
    log_t = torch.zeros((), dtype=torch.float64, requires_grad=True)
    rows, truth = torch.tensor(logits, dtype=torch.float64), torch.tensor(targets)
    optimiser = torch.optim.LBFGS([log_t], max_iter=200, tolerance_grad=1e-13, tolerance_change=1e-16)

    def closure() -> object:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(rows / log_t.exp(), truth)
        loss.backward()
        return loss

    optimiser.step(closure)
    found = fit_temperature(targets, logits.astype(np.float64))
    assert found == pytest.approx(float(log_t.detach().exp()), rel=1e-6)
