"""Times as whole microseconds since 1970 UTC: how the books store and compare them, exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND


def micros(moment: datetime) -> int:
    """``moment`` (aware) as microseconds since 1970 UTC."""
    gone = moment - _EPOCH
    return (gone.days * 86_400 + gone.seconds) * _SECOND + gone.microseconds


def moment(at: int) -> datetime:
    """The aware UTC time of ``at`` microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at)


def days_text(span: int) -> str:
    """A span of microseconds in words: ``20 days``, ``20 days 12:00:00``, with a fraction where there is one."""
    days, rest = divmod(span, _DAY)
    seconds, fraction = divmod(rest, _SECOND)
    found = f"{days} day{'' if days == 1 else 's'}"
    if rest:
        found += f" {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return found + (f".{fraction:06}" if fraction else "")
