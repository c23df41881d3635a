"""Axes: where ticks stand, and where values lie between the ends."""

from __future__ import annotations

import math
from dataclasses import dataclass

_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Axis:
    """From ``low`` to ``high`` (``low < high``; both above 0 where it is logarithmic) over ``start`` to ``end`` px."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Canvas coordinate of ``value``; what lies beyond an end stands at it."""
        inside = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            share = (inside - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """At most about ``most`` round values on the axis, each with its text."""
        found = _log_ticks(self.low, self.high, most) if self.log else _ticks(self.low, self.high, most)
        return [(value, tick_text(value, found)) for value in found]


def axis_around(values: list[float], start: float, end: float, *, log: bool = False, least: float = 0.0) -> Axis:
    """An axis that holds ``values`` with some air; linear ones are at least ``least`` wide."""
    low, high = min(values), max(values)
    if log:
        return Axis(low / 1.35, high * 1.35, start, end, log=True)
    air = max((high - low) * 0.06, (least - (high - low)) / 2, abs(high) * 1e-6, 1e-9)
    return Axis(low - air, high + air, start, end)


def _ticks(low: float, high: float, most: int) -> list[float]:
    raw = (high - low) / most
    scale = 10.0 ** math.floor(math.log10(raw))
    step = next(scale * factor for factor in (*_STEPS, 10) if scale * factor >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [place * step for place in range(first, math.floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    """1, 2, 5 of each power of ten; only the ones where that is too many; a linear choice where it is too few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = [step * 10.0**power for power in powers for step in _STEPS if low <= step * 10.0**power <= high]
    coarse = [value for value in fine if round(math.log10(value), 6).is_integer()]
    if len(fine) > most and len(coarse) > 1:
        return coarse
    return fine if len(fine) > 1 else _ticks(low, high, most)


def tick_text(value: float, ticks: list[float]) -> str:
    """With as few decimals as tell the ticks apart."""
    for digits in range(10):
        texts = {f"{tick:.{digits}f}" for tick in ticks}
        if len(texts) == len(ticks) and all(abs(float(f"{t:.{digits}f}") - t) <= abs(t) * 1e-6 for t in ticks):
            return f"{value:,.{digits}f}"
    return f"{value:g}"
