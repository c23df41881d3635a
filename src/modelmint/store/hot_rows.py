"""Rows of the hot path as values, and values as rows."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Protocol

from modelmint.commerce.moments import moment
from modelmint.commerce.types import Outcome

_DAY = 86_400_000_000
#: What a roll-up adds up: rows, calls, items, pixels, characters, tokens, compute, explanations.
Sums = list[int]
#: Where a sum stands, and where the row has what is added.
_ADDED = ((1, 9), (2, 10), (3, 16), (4, 17), (5, 18), (6, 11), (7, 19))


def bucket_of(booked: int, closed: int) -> int:
    """The first moment of the roll-up that holds ``booked``: midnight, or the last closing's end where later."""
    return max(booked - booked % _DAY, closed)


def outcome_row(o: Outcome, at: int, month: int) -> tuple[Any, ...]:
    """The columns of ``hot_sql.OUTCOME_COLUMNS``, and the month."""
    return (
        o.id, o.customer, o.key, o.subscription, o.model, at, o.status, o.code, int(o.billable), o.calls, o.items,
        int(o.compute_ms * 1000), o.release, o.variant, o.prediction, o.state, o.pixels, o.characters, o.tokens,
        o.explanations, int(o.wall_ms * 1000), month,
    )  # fmt: skip


def outcome_from(row: Any) -> Outcome:
    """An outcome from the columns of ``hot_sql.OUTCOME_COLUMNS``."""
    return Outcome(
        id=row[0],
        customer=row[1],
        key=row[2],
        subscription=row[3],
        model=row[4],
        at=moment(row[5]),
        status=row[6],
        code=row[7],
        billable=bool(row[8]),
        calls=row[9],
        items=row[10],
        compute_ms=Decimal(row[11]) / 1000,
        release=row[12],
        variant=row[13],
        prediction=row[14],
        state=row[15],
        pixels=row[16],
        characters=row[17],
        tokens=row[18],
        explanations=row[19],
        wall_ms=Decimal(row[20]) / 1000,
    )


class SettledRows(Protocol):
    """What a batch of settlements on leases writes (``express.Express``)."""

    #: This process, and the end of the newest closing that it knows of.
    owner: str
    closed: int
    #: Who counts into the roll-ups, and the first moment of the day's.
    counted_by: str
    bucket: int
    #: Calls used of each lease.
    used: dict[str, int]
    #: When recalls are looked for with this batch, None: not with it.
    looked: float | None
    outcomes: list[tuple[Any, ...]]
    #: The lease of each outcome, and the calls used of it.
    shares: list[tuple[str, int]]


class Rollups:
    """The outcomes of one batch, added up."""

    def __init__(self, owner: str, bucket: int) -> None:
        self._owner = owner
        self._bucket = bucket
        self._sums: dict[tuple[Any, ...], Sums] = {}

    def add(self, row: tuple[Any, ...]) -> None:
        """Count one row as ``outcome_row`` gives it."""
        # subscription, month, key, model, variant, release, state, status, code, billable, customer
        name = (
            row[3] or "", row[21], row[2], row[4], row[13] or "", row[12] or "", row[15], row[6], row[7], row[8],
            row[1],
        )  # fmt: skip
        sums = self._sums.get(name)
        if sums is None:
            self._sums[name] = [1, row[9], row[10], row[16], row[17], row[18], row[11], row[19]]
            return
        sums[0] += 1
        for place, column in _ADDED:
            sums[place] += row[column]

    def rows(self) -> Iterable[tuple[Any, ...]]:
        """Parameters of ``hot_sql.ADD_UP``, in one order everywhere."""
        for (subscription, *name), sums in sorted(self._sums.items()):
            yield (self._owner, subscription, self._bucket, *name, *sums)
