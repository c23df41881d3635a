"""Which part of time is billed: billing periods, their parts, where a closing ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from modelmint.commerce.errors import PeriodNotOver
from modelmint.commerce.moments import micros
from modelmint.kit.period import Period, billing_period


def end_of(period: Period, now: datetime, *, until_now: bool) -> datetime:
    """Where a closing of ``period`` ends; raises ``PeriodNotOver`` when that lies ahead, or the whole period does.

    Until now means everything booked so far, what was booked in this very microsecond included; whatever is
    booked later is booked at or after the end.
    """
    if period.end <= now:
        return period.end
    if period.start > now:
        raise PeriodNotOver(
            f"this period begins at {period.start:%Y-%m-%dT%H:%M:%SZ}, it is {now:%Y-%m-%dT%H:%M:%SZ}; "
            "nothing can be closed before it begins"
        )
    if until_now:
        return min(now + timedelta(microseconds=1), period.end)
    raise PeriodNotOver(
        f"this period ends at {period.end:%Y-%m-%dT%H:%M:%SZ}, it is {now:%Y-%m-%dT%H:%M:%SZ}; "
        "wait, or ask for the invoice until now"
    )


def beginning_in(month: Period, anchor: int) -> Period:
    """The billing period that begins in a calendar month."""
    return billing_period(month.end - timedelta(microseconds=1), anchor)


def parts(window: Period, anchor: int, cuts: Iterable[datetime] = ()) -> Iterator[Period]:
    """``window`` cut where billing periods begin, and at ``cuts``; each part lies inside one billing period."""
    edges = sorted(cut for cut in set(cuts) if window.start < cut < window.end)
    start = window.start
    while start < window.end:
        ends = [billing_period(start, anchor).end, window.end, *(edge for edge in edges if edge > start)]
        yield Period(start, min(ends))
        start = min(ends)


def length(span: Period) -> int:
    """Microseconds from its start to its end."""
    return micros(span.end) - micros(span.start)


def year_of(moment: datetime, since: datetime) -> Period:
    """The year that holds ``moment``, of those that count from ``since``; 29 February counts as the 28th elsewhere."""
    years = moment.year - since.year
    start = _later(since, years)
    if moment < start:
        years -= 1
        start = _later(since, years)
    return Period(start, _later(since, years + 1))


def _later(since: datetime, years: int) -> datetime:
    utc = since.astimezone(UTC)
    try:
        return utc.replace(year=utc.year + years)
    except ValueError:  # 29 February
        return utc.replace(year=utc.year + years, day=28)
