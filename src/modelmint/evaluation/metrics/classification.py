"""Counts of right and wrong answers, and what is made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modelmint.kit.arrays import Float64Array, IntArray


@dataclass(frozen=True, slots=True)
class PerClass:
    """Arrays ``[k]`` in label order; 0 where a ratio has nothing below the line."""

    precision: Float64Array
    recall: Float64Array
    f1: Float64Array
    #: Rows that truly have the label.
    support: IntArray
    #: Rows that were answered with the label.
    answered: IntArray
    #: Rows of the label that were answered right.
    hits: IntArray


def confusion(targets: IntArray, answers: IntArray, labels: int) -> IntArray:
    """Counts ``[k, k]``: row = true label, column = answer."""
    cells = np.bincount(targets * labels + answers, minlength=labels * labels)
    return cells.reshape(labels, labels).astype(np.int64)


def accuracy(table: IntArray) -> float:
    """Share of rows on the diagonal of a confusion table."""
    return float(np.trace(table) / table.sum())


def per_class(table: IntArray) -> PerClass:
    """Precision, recall and F1 of every label from a confusion table."""
    hits = np.diagonal(table).astype(np.int64)
    support, answered = table.sum(axis=1), table.sum(axis=0)
    return PerClass(
        precision=ratio(hits, answered),
        recall=ratio(hits, support),
        f1=ratio(2 * hits, support + answered),
        support=support,
        answered=answered,
        hits=hits,
    )


def balanced_accuracy(table: IntArray) -> float:
    """Mean recall over the labels that have rows."""
    found = per_class(table)
    return float(found.recall[found.support > 0].mean())


def f1_macro(table: IntArray) -> float:
    """Mean F1 over the labels that occur among the truths or the answers."""
    found = per_class(table)
    return float(found.f1[found.support + found.answered > 0].mean())


def ratio(above: IntArray | Float64Array, below: IntArray | Float64Array) -> Float64Array:
    """``above / below`` elementwise, 0 where ``below`` is 0."""
    top, bottom = np.broadcast_arrays(np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64))
    result: Float64Array = np.divide(top, bottom, out=np.zeros(top.shape), where=bottom != 0)
    return result
