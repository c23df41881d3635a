"""What every judgement checks of its inputs first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelmint.evaluation.errors import BadScores, NothingToJudge
from modelmint.kit.arrays import AnyArray, Float64Array, IntArray


def check_scores(targets: AnyArray, scores: AnyArray, labels: Sequence[str]) -> tuple[IntArray, Float64Array]:
    """``targets`` as int64 ``[n]`` and ``scores`` as float64 ``[n, k]``.

    Raises ``NothingToJudge`` for no rows and ``BadScores``, with every problem, where shapes differ, a target is not
    a label index or a score is not finite.
    """
    found = np.asarray(targets)
    table = np.asarray(scores, dtype=np.float64)
    if found.size == 0 or table.shape[:1] == (0,):
        raise NothingToJudge("expected at least one labelled row, found none; check that the split is not empty")
    problems = []
    if len(labels) < 2:
        problems.append(f"labels: expected at least two, found {len(labels)}")
    if table.ndim != 2 or table.shape[1] != len(labels):
        problems.append(f"scores: expected shape [n, {len(labels)}], one column per label; found {list(table.shape)}")
    elif not np.isfinite(table).all():
        problems.append(f"scores: expected finite numbers; {int((~np.isfinite(table)).any(axis=1).sum())} rows are not")
    if found.ndim != 1 or len(found) != len(table):
        problems.append(f"targets: expected one per row, {len(table)}; found shape {list(found.shape)}")
    elif found.dtype.kind not in "iu":
        problems.append(f"targets: expected label indices (integers), found {found.dtype}")
    elif found.min() < 0 or found.max() >= len(labels):
        problems.append(f"targets: expected 0 to {len(labels) - 1}, found {int(found.min())} to {int(found.max())}")
    if problems:
        raise BadScores("targets, scores and labels do not belong together", problems=problems)
    return found.astype(np.int64), table
