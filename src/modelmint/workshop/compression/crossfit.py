"""Validation errors as they would be on rows that the decision rule was not fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modelmint.evaluation.calibrate import fit_decision
from modelmint.kit.arrays import AnyArray, Float64Array, IntArray
from modelmint.tasks.decision import abstentions, answers, positive_index, probabilities
from modelmint.tasks.types import DecisionRule
from modelmint.workshop.compression.carry import carry_rule

_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Errors:
    """How often each row is answered wrongly, left open, and missed (a wrong label, left open or not), ``[n]``."""

    wrong: Float64Array
    held: Float64Array
    missed: Float64Array


def crossfitted_errors(
    targets: IntArray,
    network_logits: AnyArray,
    logits: AnyArray,
    labels: tuple[str, ...],
    positive: str | None,
    abstain: float,
) -> Errors:
    """Per row, how often a candidate answers it wrongly, leaves it open and misses its label, in [0, 1].

    On one half of the rows the rule is fitted on the trained network and carried over to the candidate, the other
    half is scored, over 40 seeded halvings. Scored on the very rows it was fitted on, the network would be
    flattered, and every candidate made from it would seem worse than it is. Where nothing is fitted that could
    change an answer (no positive label, no abstention) every row counts as it is.
    """
    truth = np.asarray(targets)
    rule = DecisionRule(positive=positive)
    if positive_index(labels, rule) is None and abstain == 0:
        wrong = answers(probabilities(logits), labels, rule) != truth
        return Errors(wrong.astype(np.float64), np.zeros(len(truth)), wrong.astype(np.float64))
    counts, wrong_sum, open_sum, missed_sum = (np.zeros(len(truth)) for _ in range(4))
    rng = np.random.default_rng(0)
    for _ in range(_HALVINGS):
        order = rng.permutation(len(truth))
        fitted, scored = order[: len(order) // 2], order[len(order) // 2 :]
        origin = fit_decision(truth[fitted], network_logits[fitted], labels, positive, abstain)
        own = fit_decision(truth[fitted], logits[fitted], labels, positive, abstain)
        found = carry_rule(origin, network_logits[fitted], own, logits[fitted], positive_index(labels, rule))
        probs = probabilities(logits[scored], found.temperature)
        held = abstentions(probs, labels, found)
        counts[scored] += 1
        open_sum[scored] += held
        missed = answers(probs, labels, found) != truth[scored]
        missed_sum[scored] += missed
        wrong_sum[scored] += missed & ~held
    times = np.maximum(counts, 1)
    return Errors(wrong_sum / times, open_sum / times, missed_sum / times)
