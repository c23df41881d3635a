"""Monthly value against demand, as numbers that a template draws: demand on a log scale, money on a plain one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from modelmint.market.earnings import Earnings, Scenario, grid, interval_at, machine_steps
from modelmint.market.types import Measured

#: The drawing inside its frame, and points along it.
SIZE, POINTS = 1000, 73
#: Machine steps are marked as long as they are told apart.
_MOST_STEPS = 12
_MOST_CALLS = 10**12


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid; ``at`` in percent from the left, or from the top."""

    at: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Plot:
    """The curve and its band as points of a ``SIZE`` by ``SIZE`` square; everything else in percent."""

    line: str
    band: str
    demands: tuple[Tick, ...]
    values: tuple[Tick, ...]
    #: Where the value is zero.
    zero: str
    #: Places of this demand and its value, of the break-even, of each further machine.
    now: tuple[str, str] | None
    break_even: str | None
    steps: tuple[str, ...]


def plot(scenario: Scenario, measured: Measured, found: Earnings) -> Plot | None:
    """Around the demand and the break-even; None where the value is not computable."""
    marks = [mark for mark in (scenario.calls, found.break_even.calls if found.break_even else None) if mark]
    low, high = _ends(marks)
    steps = machine_steps(scenario, measured, low, high, _MOST_STEPS + 1)
    edges = [calls for step in steps for calls in (step - 1, step) if low <= calls <= high]
    places = sorted({*grid(low, high, POINTS), *edges, *(mark for mark in marks if low <= mark <= high)})
    rows = [(calls, interval_at(scenario, measured, calls)) for calls in places]
    known = [(calls, float(at.value), float(at.low), float(at.high)) for calls, at in rows if at is not None]
    if len(known) < 2:
        return None
    frame = _Frame(low, high, [amount for _, *amounts in known for amount in amounts])
    by_calls = {calls: value for calls, value, *_ in known}
    here = scenario.calls if scenario.calls in by_calls else None
    return Plot(
        line=frame.points([(calls, value) for calls, value, *_ in known]),
        band=frame.points([(calls, least) for calls, _, least, _ in known])
        + " "
        + frame.points([(calls, most) for calls, *_, most in reversed(known)]),
        demands=tuple(Tick(frame.x(calls), Decimal(calls)) for calls in _decades(low, high)),
        values=tuple(Tick(frame.y(value), Decimal(value)) for value in frame.levels),
        zero=frame.y(0),
        now=None if here is None else (frame.x(here), frame.y(by_calls[here])),
        break_even=frame.x(found.break_even.calls) if found.break_even and found.break_even.calls > low else None,
        steps=tuple(frame.x(step) for step in steps) if len(steps) <= _MOST_STEPS else (),
    )


class _Frame:
    """From calls and money to places."""

    def __init__(self, low: int, high: int, amounts: Sequence[float]) -> None:
        self._low, self._span = math.log(low), math.log(high / low)
        bottom, top = min(0.0, *amounts), max(0.0, *amounts)
        step = _step((top - bottom) / 4)
        first, last = math.floor(bottom / step), math.ceil(top / step)
        if first == last:
            last += 1
        #: Whole multiples of a round step, so that zero is one of them.
        self.levels = [_whole(step * place) for place in range(first, last + 1)]
        self._bottom, self._height = step * first, step * (last - first)

    def x(self, calls: int) -> str:
        return f"{100 * self._across(calls):.2f}%"

    def y(self, value: float) -> str:
        return f"{100 * self._down(value):.2f}%"

    def points(self, rows: Sequence[tuple[int, float]]) -> str:
        return " ".join(f"{SIZE * self._across(calls):.1f},{SIZE * self._down(value):.1f}" for calls, value in rows)

    def _across(self, calls: int) -> float:
        return (math.log(calls) - self._low) / self._span

    def _down(self, value: float) -> float:
        return 1 - (value - self._bottom) / self._height


def _ends(marks: Sequence[int]) -> tuple[int, int]:
    """Half decades around what is marked, so that a curve keeps its points while something else moves."""
    least, most = (min(marks), max(marks)) if marks else (1000, 100_000)
    low = math.floor(2 * math.log10(least / 5)) / 2
    high = math.ceil(2 * math.log10(most * 2.5)) / 2
    return max(1, round(10**low)), min(_MOST_CALLS, round(10**high))


def _decades(low: int, high: int) -> list[int]:
    """Powers of ten that fit beside each other."""
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    every = max(1, math.ceil((last - first) / 5))
    return [10**power for power in range(first, last + 1, every)]


def _step(about: float) -> float:
    """The next of 1, 2, 5, 10, ... at or above ``about``."""
    power = 10.0 ** math.floor(math.log10(max(about, 0.01)))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= about)


def _whole(value: float) -> float:
    return round(value, 2)
