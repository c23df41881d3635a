"""From how many calls a month on the value is no loss. The value jumps with each machine and each customer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

#: Looked at so many times in each decade, then halved to a single call.
_PER_DECADE = 8


@dataclass(frozen=True, slots=True)
class BreakEven:
    """``calls`` a month is the least demand found whose value is zero or more."""

    calls: int
    #: From here on it is a loss again, None where it stays above zero as far as was looked.
    until: int | None


def break_even(value_at: Callable[[int], Decimal | None], most: int) -> BreakEven | None:
    """The first crossing up to ``most`` calls a month; None where there is none, or the value is not computable.

    ``value_at`` is looked at from one call on, eight times a decade, and the crossing is halved down to one call. A
    dip or a peak narrower than an eighth of a decade can be missed.
    """
    places = _places(most)
    start = _first(value_at, places, below=False)
    if start is None:
        return None
    rest = [start, *(place for place in places if place > start)]
    return BreakEven(start, _first(value_at, rest, below=True))


def _first(value_at: Callable[[int], Decimal | None], places: list[int], *, below: bool) -> int | None:
    """The least of ``places``, refined, where the value is below zero, or is not."""

    def fits(calls: int) -> bool:
        value = value_at(calls)
        return value is not None and (value < 0) == below

    before: int | None = None
    for place in places:
        if fits(place):
            return place if before is None else _halved(fits, before, place)
        before = place
    return None


def _halved(fits: Callable[[int], bool], outside: int, inside: int) -> int:
    while inside - outside > 1:
        middle = (outside + inside) // 2
        outside, inside = (outside, middle) if fits(middle) else (middle, inside)
    return inside


def _places(most: int) -> list[int]:
    places, step = {1, most}, 0
    while (place := round(10 ** (step / _PER_DECADE))) < most:
        places.add(place)
        step += 1
    return sorted(places)
