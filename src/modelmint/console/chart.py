"""A bar for every day, as whole numbers that a template draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

HEIGHT, STEP, BAR = 120, 10, 7


@dataclass(frozen=True, slots=True)
class Bar:
    """One day, ``x`` and ``height`` in the units of the drawing."""

    day: str
    value: int
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars beside each other in a drawing ``width`` by ``height``, scaled to ``top``."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    bar: int
    top: int


def by_day(values: Mapping[str, int], first: date, end: date) -> Chart:
    """A bar for each day of ``[first, end)``; days without a value are empty."""
    days = [first + timedelta(days=n) for n in range((end - first).days)]
    top = _round_up(max(values.values(), default=0))
    bars = []
    for position, day in enumerate(days):
        value = values.get(day.isoformat(), 0)
        height = max(1, value * HEIGHT // top) if value else 0
        bars.append(Bar(day.isoformat(), value, position * STEP + 1, HEIGHT - height, height))
    return Chart(tuple(bars), max(1, len(days)) * STEP, HEIGHT, BAR, top)


def _round_up(value: int) -> int:
    """The next of 10, 20, 50, 100, 200, ... so that the scale reads well."""
    scale = 10
    while True:
        for step in (1, 2, 5):
            if value <= scale * step:
                return scale * step
        scale *= 10
