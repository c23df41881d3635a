"""From logits to answers: the one decode that judging, compressing and serving share.

Everything is float64, row by row: an answer never depends on the other rows of its batch.
"""

from __future__ import annotations

import math

import numpy as np

from modelmint.kit.arrays import AnyArray, Float64Array, IntArray
from modelmint.tasks.errors import BadDecisionRule, BadOutputs
from modelmint.tasks.types import DecisionRule


def log_probabilities(logits: AnyArray, temperature: float = 1.0) -> Float64Array:
    """``log softmax(logits / temperature)``, shape ``[n, k]``; finite for finite logits."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    result: Float64Array = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
    return result


def probabilities(logits: AnyArray, temperature: float = 1.0) -> Float64Array:
    """``softmax(logits / temperature)``, shape ``[n, k]``; every row sums to 1."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    result: Float64Array = powers / powers.sum(axis=1, keepdims=True)
    return result


def log_odds(logits: AnyArray, label: int) -> Float64Array:
    """``log p / (1 - p)`` of one label per row, ``[n]``, p its share of the softmax; of a lone label its logit.

    Finite for finite logits: unlike the probability it still moves where that rounds to 1.
    """
    wide = np.asarray(logits, dtype=np.float64)
    others = np.delete(wide, label, axis=1)
    if others.shape[1] == 0:
        return wide[:, label]
    top = others.max(axis=1)
    result: Float64Array = wide[:, label] - top - np.log(np.exp(others - top[:, None]).sum(axis=1))
    return result


def positive_index(labels: tuple[str, ...], decision: DecisionRule) -> int | None:
    """Index of the positive label of a two-class task; None where the answer is simply the likeliest label."""
    if decision.positive is None or len(labels) != 2:
        return None
    return labels.index(decision.positive)


def answers(probs: Float64Array, labels: tuple[str, ...], decision: DecisionRule) -> IntArray:
    """Label index per row, ``[n]``: by threshold (two classes, a positive label), or the likeliest, first of ties."""
    positive = positive_index(labels, decision)
    if positive is None or decision.threshold is None:
        return np.asarray(probs.argmax(axis=1), dtype=np.int64)
    return np.where(probs[:, positive] >= decision.threshold, positive, 1 - positive).astype(np.int64)


def abstentions(
    probs: Float64Array, labels: tuple[str, ...], decision: DecisionRule
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows abstain, booleans ``[n]``."""
    positive = positive_index(labels, decision)
    held = np.zeros(len(probs), dtype=np.bool_)
    if positive is not None and decision.abstain_low is not None and decision.abstain_high is not None:
        held |= (probs[:, positive] >= decision.abstain_low) & (probs[:, positive] <= decision.abstain_high)
    if positive is None and decision.min_probability is not None:
        held |= probs.max(axis=1) < decision.min_probability
    return held


def check_decision(labels: tuple[str, ...], decision: DecisionRule) -> None:
    """Raise ``BadDecisionRule``, with every problem, when the rule cannot be applied to these labels."""
    problems = []
    if not (math.isfinite(decision.temperature) and decision.temperature > 0):
        problems.append(f"temperature: expected a number above 0, found {decision.temperature}")
    if decision.positive is not None and decision.positive not in labels:
        problems.append(f"positive: expected one of {', '.join(labels)}; found {decision.positive!r}")
    for name in ("threshold", "abstain_low", "abstain_high", "min_probability"):
        value = getattr(decision, name)
        if value is not None and not 0 <= value <= 1:
            problems.append(f"{name}: expected a probability from 0 to 1, found {value}")
    if (decision.abstain_low is None) != (decision.abstain_high is None):
        problems.append("abstain_low and abstain_high: expected both or neither")
    if problems:
        raise BadDecisionRule("the decision rule does not fit the model", problems=problems)


def check_outputs(outputs: AnyArray, labels: tuple[str, ...]) -> None:
    """Raise ``BadOutputs`` unless ``outputs`` are finite numbers of shape ``[n, len(labels)]``."""
    if outputs.ndim != 2 or outputs.shape[1] != len(labels):
        raise BadOutputs(
            f"expected outputs of shape [n, {len(labels)}], one logit per label; found {list(outputs.shape)}. "
            "Check that the graph belongs to these labels"
        )
    if not np.isfinite(outputs).all():
        row = int(np.flatnonzero(~np.isfinite(outputs).all(axis=1))[0])
        raise BadOutputs(f"expected finite logits; row {row} holds NaN or infinity. The graph is broken for this input")
