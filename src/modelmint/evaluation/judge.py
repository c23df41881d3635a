"""The judge: everything there is to say about one model's logits on one split, as one scorecard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modelmint.evaluation.checks import check_scores
from modelmint.evaluation.intervals import group_sums, percentile, resample_weights, wilson
from modelmint.evaluation.metrics import calibration, classification, ranking
from modelmint.evaluation.types import ClassReport, Scorecard
from modelmint.kit.arrays import AnyArray, Float64Array, IntArray
from modelmint.kit.estimate import Estimate
from modelmint.tasks.decision import (
    abstentions,
    answers,
    check_decision,
    log_probabilities,
    positive_index,
    probabilities,
)
from modelmint.tasks.types import DecisionRule

#: Curves are thinned to so many points; a plot of 400 px shows no more.
_CURVE_POINTS = 400


@dataclass(frozen=True, slots=True)
class _Rows:
    """One split as the model sees it, row by row."""

    labels: tuple[str, ...]
    truth: IntArray
    logits: Float64Array
    probs: Float64Array
    log_probs: Float64Array
    answer: IntArray
    held: AnyArray
    positive: int | None

    @property
    def ranked(self) -> list[int]:
        """Labels that have a ROC curve: the positive one of two (the second by default), each one of more."""
        if len(self.labels) == 2:
            return [1 if self.positive is None else self.positive]
        return [label for label in range(len(self.labels)) if 0 < int((self.truth == label).sum()) < len(self.truth)]

    def score(self, label: int) -> Float64Array:
        """What ranks the rows for ``label``: log odds of two labels (probabilities round to 1), else probability."""
        if len(self.labels) == 2:
            return self.logits[:, label] - self.logits[:, 1 - label]
        return self.probs[:, label]


def scorecard(
    targets: AnyArray,
    logits: AnyArray,
    labels: tuple[str, ...],
    decision: DecisionRule,
    split: str,
    seed: int = 0,
    resamples: int = 1000,
) -> Scorecard:
    """Judge ``logits`` ``[n, k]`` against ``targets`` ``[n]`` under ``decision``.

    Metrics: auroc (two classes: of the positive label; more: mean of each against the rest), accuracy,
    balanced_accuracy, f1_macro, ece, brier, nll, answered_accuracy, abstained; with a positive label of two also
    sensitivity and specificity. What cannot be computed (AUROC with one class only) is left out, so that a gate on
    it fails. Shares have Wilson's interval, the rest a stratified bootstrap of ``resamples`` draws by ``seed``.
    Raises ``NothingToJudge``, ``BadScores`` or ``BadDecisionRule``.
    """
    truth, table = check_scores(targets, logits, labels)
    check_decision(labels, decision)
    probs = probabilities(table, decision.temperature)  # to the last bit what serving decodes
    rows = _Rows(
        labels=labels,
        truth=truth,
        logits=table,
        probs=probs,
        log_probs=log_probabilities(table, decision.temperature),
        answer=answers(probs, labels, decision),
        held=abstentions(probs, labels, decision),
        positive=positive_index(labels, decision),
    )
    counts = classification.confusion(truth, rows.answer, len(labels))
    draws = _draws(rows, resamples, seed)
    return Scorecard(
        split=split,
        labels=labels,
        decision=decision,
        metrics={**_resampled(rows, counts, draws), **_shares(rows, counts)},
        classes=_classes(rows, counts, draws["f1"]),
        confusion=tuple(tuple(int(cell) for cell in row) for row in counts),
        curves=_curves(rows),
    )


def _shares(rows: _Rows, counts: IntArray) -> dict[str, Estimate]:
    n = len(rows.truth)
    right = rows.answer == rows.truth
    found = {
        "accuracy": wilson(int(right.sum()), n),
        "answered_accuracy": wilson(int((right & ~rows.held).sum()), int((~rows.held).sum())),
        "abstained": wilson(int(rows.held.sum()), n),
    }
    if found["answered_accuracy"].n == 0:
        del found["answered_accuracy"]
    if rows.positive is not None:
        for name, label in (("sensitivity", rows.positive), ("specificity", 1 - rows.positive)):
            total = int(counts[label].sum())
            if total:
                found[name] = wilson(int(counts[label, label]), total)
    return found


def _resampled(rows: _Rows, counts: IntArray, draws: dict[str, AnyArray]) -> dict[str, Estimate]:
    n = len(rows.truth)
    present = counts.sum(axis=1)
    smallest = int(present[present > 0].min())
    confidence, correct = _top(rows)
    values: dict[str, float | None] = {
        "auroc": _auroc(rows),
        "balanced_accuracy": classification.balanced_accuracy(counts),
        "f1_macro": classification.f1_macro(counts),
        "ece": calibration.ece(confidence, correct),
        "brier": calibration.brier(rows.truth, rows.probs),
        "nll": calibration.nll(rows.truth, rows.log_probs),
    }
    # Two classes: one AUROC, which rests on the smaller class. More: a mean of one against the rest in which each row
    # is the positive of exactly one term, so that all rows together are what it rests on.
    counted = {"auroc": smallest if len(rows.labels) == 2 else n, "balanced_accuracy": smallest, "f1_macro": smallest}
    return {
        name: percentile(value, draws[name], n, centred=name == "ece", counted=counted.get(name))
        for name, value in values.items()
        if value is not None
    }


def _draws(rows: _Rows, resamples: int, seed: int) -> dict[str, AnyArray]:
    """Every resampled metric, ``[resamples]`` each (``f1``: ``[resamples, k]``).

    All but AUROC are made of sums over rows by group: right rows and answers by label, gaps by bin, squared error and
    log loss over all.
    """
    k = len(rows.labels)
    n = len(rows.truth)
    confidence, correct = _top(rows)
    hits_of = group_sums(rows.truth, k, rows=np.flatnonzero(rows.answer == rows.truth))
    answered_of = group_sums(rows.answer, k)
    gaps_of = group_sums(calibration.bin_of(confidence), calibration.BINS, correct - confidence)
    everything = np.zeros(n, dtype=np.int64)
    brier_of = group_sums(everything, 1, calibration.brier_rows(rows.truth, rows.probs))
    nll_of = group_sums(everything, 1, calibration.nll_rows(rows.truth, rows.log_probs))
    support = np.bincount(rows.truth, minlength=k).astype(np.float64)  # strata keep it in every resample
    used = support + np.bincount(rows.answer, minlength=k) > 0
    curves = [ranking.resampled_auroc(rows.truth == label, rows.score(label)) for label in rows.ranked]
    parts: dict[str, list[AnyArray]] = {name: [] for name in _DRAWN}
    for weights in resample_weights(rows.truth, resamples, seed):
        hits = hits_of(weights)
        f1 = classification.ratio(2 * hits, support[:, None] + answered_of(weights))
        parts["f1"].append(f1.T)
        parts["f1_macro"].append(f1[used].mean(axis=0))
        parts["balanced_accuracy"].append((hits[support > 0] / support[support > 0][:, None]).mean(axis=0))
        parts["ece"].append(np.abs(gaps_of(weights)).sum(axis=0) / n)
        parts["brier"].append(brier_of(weights)[0] / n)
        parts["nll"].append(nll_of(weights)[0] / n)
        found = [curve(weights) for curve in curves if curve is not None]
        parts["auroc"].append(np.mean(found, axis=0) if found else np.full(weights.shape[1], np.nan))
    return {name: np.concatenate(chunks) for name, chunks in parts.items()}


_DRAWN = ("auroc", "balanced_accuracy", "f1_macro", "f1", "ece", "brier", "nll")


def _top(rows: _Rows) -> tuple[Float64Array, AnyArray]:
    """Confidence in the likeliest label, and whether that label is right: what ECE speaks of, threshold or not."""
    likeliest = rows.probs.argmax(axis=1)
    confidence: Float64Array = rows.probs[np.arange(len(likeliest)), likeliest]
    return confidence, likeliest == rows.truth


def _auroc(rows: _Rows) -> float | None:
    if len(rows.labels) == 2:
        label = rows.ranked[0]
        return ranking.auroc(rows.truth == label, rows.score(label))
    return ranking.macro_auroc(rows.truth, rows.probs)


def _classes(rows: _Rows, counts: IntArray, f1_draws: AnyArray) -> tuple[ClassReport, ...]:
    found = classification.per_class(counts)
    reports = []
    for index, label in enumerate(rows.labels):
        hits, support, answered = int(found.hits[index]), int(found.support[index]), int(found.answered[index])
        f1 = percentile(float(found.f1[index]), f1_draws[:, index], support, counted=max(support, 1))
        reports.append(ClassReport(label, wilson(hits, answered), wilson(hits, support), f1, support))
    return tuple(reports)


def _curves(rows: _Rows) -> dict[str, list[list[float]]]:
    """``roc`` (two classes) or ``roc:LABEL`` as [fpr, tpr]; ``reliability`` as [low, high, confidence, accuracy, n]."""
    curves: dict[str, list[list[float]]] = {}
    for label in rows.ranked:
        false, true = ranking.roc_curve(rows.truth == label, rows.score(label))
        if len(false):
            name = "roc" if len(rows.labels) == 2 else f"roc:{rows.labels[label]}"
            keep = np.unique(np.linspace(0, len(false) - 1, min(len(false), _CURVE_POINTS)).astype(int))
            curves[name] = [
                [round(float(x), 6), round(float(y), 6)] for x, y in zip(false[keep], true[keep], strict=True)
            ]
    bins = calibration.reliability(*_top(rows))
    curves["reliability"] = [
        [round(float(v), 6) for v in row]
        for row in zip(bins.low, bins.high, bins.confidence, bins.accuracy, bins.count, strict=True)
        if row[4] > 0
    ]
    return curves
