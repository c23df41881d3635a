"""Half-open spans of time in UTC: ``start <= t < end``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from modelmint.kit.errors import InvalidInput

_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
#: Years that are understood: a month, a year and a time zone on either side stay within the calendar.
FIRST_YEAR, LAST_YEAR = 1970, 9998


class BadPeriod(InvalidInput):
    """A period or moment that is not one: no time zone, an end before its start, a year out of reach."""

    code = "bad_period"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """``[start, end)`` in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise BadPeriod("a period needs aware times; give them a time zone, e.g. 2026-11-01T00:00:00Z")
        if self.end <= self.start:
            raise BadPeriod(f"a period ends after it starts; found start {self.start} and end {self.end}")

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.end - self.start).total_seconds()


def month_of(moment: datetime) -> Period:
    """The calendar month, in UTC, that holds ``moment``."""
    utc = moment.astimezone(UTC)
    start = utc.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = start.replace(year=start.year + 1, month=1) if start.month == 12 else start.replace(month=start.month + 1)
    return Period(start, end)


def month_before(period: Period) -> Period:
    """The calendar month, in UTC, that ends at or before the start of ``period``'s first month."""
    return month_of(month_of(period.start).start - timedelta(days=1))


def billing_period(moment: datetime, anchor: int = 1) -> Period:
    """The billing period, in UTC, that holds ``moment``: from day ``anchor`` of a month to that of the next.

    ``anchor`` is 1 to 31; in a month with fewer days the period begins on its last day. 1 gives calendar months.
    """
    if not 1 <= anchor <= 31:
        raise BadPeriod(f"a billing anchor is a day of the month, 1 to 31; found {anchor}")
    month = month_of(moment)
    start = _anchored(month, anchor)
    if moment >= start:
        return Period(start, _anchored(month_of(month.end), anchor))
    return Period(_anchored(month_of(month.start - timedelta(days=1)), anchor), start)


def _anchored(month: Period, anchor: int) -> datetime:
    """Midnight of day ``anchor`` of ``month``, or of its last day."""
    return min(month.start + timedelta(days=anchor - 1), month.end - timedelta(days=1))


def parse_month(text: str) -> Period:
    """``"2026-11"`` as a period; raises ``BadPeriod`` when it is not a year and a month."""
    try:
        if not _MONTH.fullmatch(text):
            raise ValueError("not four digits, a dash and two digits")
        return month_of(understood(datetime(int(text[:4]), int(text[5:]), 1, tzinfo=UTC)))
    except ValueError as error:
        raise BadPeriod(f"expected a month like 2026-11, found {text[:80]!r}") from error


def understood(moment: datetime) -> datetime:
    """An aware ``moment`` in UTC; raises ``BadPeriod`` outside the years 1970 to 9998."""
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        utc = None
    if utc is None or not FIRST_YEAR <= utc.year <= LAST_YEAR:
        raise BadPeriod(f"expected a year from {FIRST_YEAR} to {LAST_YEAR}, found {moment.isoformat()}")
    return utc


def parse_moment(text: str) -> datetime:
    """``"2026-11-10T12:00:00Z"``, or a day (its first moment, UTC); raises ``BadPeriod`` without a time zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadPeriod(f"expected a moment like 2026-11-10T12:00:00Z or a day, found {text[:40]!r}") from error
    if found.tzinfo is None:
        if len(text) > len("2026-11-10"):
            raise BadPeriod(f"expected a moment with its time zone, like 2026-11-10T12:00:00Z, found {text[:40]!r}")
        found = found.replace(tzinfo=UTC)
    return understood(found)
