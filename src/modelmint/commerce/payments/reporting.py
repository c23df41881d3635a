"""When usage is reported: which days are over, under which name, and when to ask again. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from modelmint.commerce.payments.usage_sink import UsageLimits
from modelmint.kit.digest import digest_value
from modelmint.kit.period import Period

DAY = timedelta(days=1)
#: How long after midnight a day counts as over: calls that ended before it are booked by then on every machine.
SETTLING = timedelta(minutes=15)
#: Kept clear of both limits of a sink, for its clock and for a request that takes long.
MARGIN = timedelta(hours=1)
#: Reports with an unknown outcome beyond which no new one is begun: each may be lost if the provider stays away.
MOST_IN_DOUBT = 3
#: How long a refused report waits: somebody has to put something right first.
REFUSED_WAIT = DAY
#: The same where an earlier try may have counted: it must be known before the identifier is forgotten.
DOUBTFUL_WAIT = timedelta(hours=1)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)


def closed_days(now: datetime, limits: UsageLimits) -> Period | None:
    """The days that are over and not too long ago to be taken; None where there are none."""
    end, start = _midnight(now - SETTLING), _midnight(now - limits.age + MARGIN)
    return Period(start, end) if start < end else None


def reported_at(day: datetime) -> datetime:
    """The time that a day's usage carries: its last second, so inside the day, its month, and longest in reach."""
    return day + DAY - timedelta(seconds=1)


def identifier(provider: str, customer: str, meter: str, day: datetime, part: int) -> str:
    """Follows from what is reported alone, so that books restored from a backup report it under the same name."""
    named = {"provider": provider, "customer": customer, "meter": meter, "day": f"{day:%Y-%m-%d}", "part": part}
    return f"use_{digest_value(named)[:40]}"


def wait_after(tries: int) -> timedelta:
    """How long a report whose outcome is unknown waits: a minute, two, four, ... an hour."""
    return min(_FIRST_WAIT * (1 << min(tries - 1, 10)), _LONGEST_WAIT)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
