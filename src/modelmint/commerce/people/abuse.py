"""Keys that behave unlike themselves: far more requests than ever, or far more refused ones. Pure, whole numbers.

**Rate.** Requests of the last five minutes against the key's own last days: of each day the busiest five minutes, of
these the second busiest day (so that one attack does not become the habit, and two days of growth do). Alarm above
twice that and five standard deviations of a Poisson count, and never below sixty. A key in its first day is not judged.

**Errors.** The share of the last fifteen minutes' requests that ended 4xx, tested against twice the usual share (and
at least a fifth) by Wilson's score: the lower end of the interval at four standard deviations must lie above it.

Both end by themselves when the key is back at its habit. A test measures how often quiet traffic raises one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isqrt
from typing import Any

RATE, ERRORS = "rate", "errors"
DAY = 1440
#: Days of its own past with which a key is compared; today is not among them.
PAST_DAYS = 7
RATE_MINUTES, ERROR_MINUTES = 5, 15
#: Fewer requests than this in five minutes are never a rate alarm.
QUIET = 60
#: Shares are judged from so many requests on; in thousandths below.
ENOUGH = 20
LEAST_SHARE, UNKNOWN_SHARE, LARGEST_SHARE = 200, 500, 900
#: Squares of the standard deviations at which an error alarm begins and ends.
BEGIN_Z2, END_Z2 = 16, 4


@dataclass(slots=True)
class _Day:
    day: int
    busiest: int = 0
    requests: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a key does now: ``begins`` where it is an alarm, ``lasts`` where an open one goes on; else it ends."""

    begins: bool
    lasts: bool
    data: dict[str, Any]


@dataclass(slots=True)
class Habit:
    """One key's last minutes and last days."""

    #: (minute, requests, errors) of the last ``ERROR_MINUTES``, oldest first.
    minutes: deque[tuple[int, int, int]] = field(default_factory=deque)
    days: deque[_Day] = field(default_factory=deque)

    def feed(self, minute: int, requests: int, errors: int) -> None:
        """More of ``minute`` (since 1970) came; minutes come in order, the last ones may come again."""
        bins = {at: (n, e) for at, n, e in self.minutes}
        known = bins.get(minute, (0, 0))
        bins[minute] = (known[0] + requests, known[1] + errors)
        newest = max(bins)
        self.minutes = deque((at, *bins[at]) for at in sorted(bins) if at > newest - ERROR_MINUTES)
        day = self._day(minute // DAY)
        day.requests += requests
        day.errors += errors
        day.busiest = max(day.busiest, self._sum(minute, RATE_MINUTES)[0])

    def judge(self, now: int) -> dict[str, Verdict]:
        """By kind, at minute ``now``."""
        past = [day for day in self.days if now // DAY - PAST_DAYS <= day.day < now // DAY]
        return {RATE: self._rate(now, past), ERRORS: self._errors(now, past)}

    def _rate(self, now: int, past: list[_Day]) -> Verdict:
        count, _ = self._sum(now, RATE_MINUTES)
        busiest = sorted((day.busiest for day in past), reverse=True)
        if not busiest:
            return Verdict(False, False, {})
        usual = busiest[min(1, len(busiest) - 1)]
        limit = max(QUIET, 2 * usual + 5 * isqrt(usual))
        data = {"requests": count, "minutes": RATE_MINUTES, "usual": usual, "limit": limit}
        return Verdict(count > limit, count > max(usual, QUIET // 2), data)

    def _errors(self, now: int, past: list[_Day]) -> Verdict:
        count, errors = self._sum(now, ERROR_MINUTES)
        requests, failed = sum(day.requests for day in past), sum(day.errors for day in past)
        usual = 1000 * failed // requests if requests >= ENOUGH else None
        share = UNKNOWN_SHARE if usual is None else min(LARGEST_SHARE, max(LEAST_SHARE, 2 * usual))
        data = {"requests": count, "errors": errors, "minutes": ERROR_MINUTES, "usual_permille": usual}
        enough = count >= ENOUGH
        return Verdict(
            enough and is_above(errors, count, share, BEGIN_Z2), is_above(errors, count, share, END_Z2), data
        )

    def _sum(self, now: int, span: int) -> tuple[int, int]:
        inside = [(n, e) for at, n, e in self.minutes if now - span < at <= now]
        return sum(n for n, _ in inside), sum(e for _, e in inside)

    def _day(self, day: int) -> _Day:
        for known in self.days:
            if known.day == day:
                return known
        made = _Day(day)
        self.days.append(made)
        while self.days and self.days[0].day < day - PAST_DAYS:
            self.days.popleft()
        return made


def is_above(errors: int, count: int, permille: int, z2: int) -> bool:
    """Whether the lower end of Wilson's interval for ``errors`` of ``count`` lies above ``permille`` thousandths.

    ``z2`` is the square of its standard deviations. Solved for whole numbers: nothing is rounded.
    """
    excess = 1000 * errors - count * permille
    return count > 0 and excess > 0 and excess * excess > z2 * count * permille * (1000 - permille)


def fed(rows: Iterable[tuple[int, int, int]]) -> Habit:
    """A habit from (minute, requests, errors) in order."""
    habit = Habit()
    for row in rows:
        habit.feed(*row)
    return habit
