"""Which candidates are beaten by none: the Pareto front of CPU time and accuracy."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from modelmint.releases.dossier.types import CandidateRow


def pareto(rows: Iterable[CandidateRow]) -> tuple[CandidateRow, ...]:
    """The rows with ``front`` set: for sale, measured, and no other one is as quick and as accurate, and better in one.

    It speaks of the measured values; where intervals overlap the order may be chance.
    """
    found = tuple(rows)
    return tuple(dataclasses.replace(row, front=_stands(row, found)) for row in found)


def _stands(row: CandidateRow, rows: Iterable[CandidateRow]) -> bool:
    mine = _place(row)
    if mine is None:
        return False
    others = [place for other in rows if other is not row and (place := _place(other)) is not None]
    return not any(cpu <= mine[0] and accuracy >= mine[1] and (cpu, accuracy) != mine for cpu, accuracy in others)


def _place(row: CandidateRow) -> tuple[float, float] | None:
    if row.rejected is not None or row.cpu_ms is None or row.accuracy is None:
        return None
    return row.cpu_ms.value, row.accuracy.value
