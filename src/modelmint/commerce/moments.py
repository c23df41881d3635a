"""Times as whole microseconds since 1970 UTC: how the books store and compare them, exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000


def micros(moment: datetime) -> int:
    """``moment`` (aware) as microseconds since 1970 UTC."""
    gone = moment - _EPOCH
    return (gone.days * 86_400 + gone.seconds) * _SECOND + gone.microseconds


def moment(at: int) -> datetime:
    """The aware UTC time of ``at`` microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at)
