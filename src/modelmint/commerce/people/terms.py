"""How long keys live: checked before anything is stored."""

from __future__ import annotations

from datetime import datetime, timedelta

from modelmint.commerce.people.errors import BadExpiry
from modelmint.commerce.types import Key

#: How long a replaced key goes on unless it is told otherwise, and at most.
OVERLAP = timedelta(days=1)
LONGEST_OVERLAP = timedelta(days=90)


def checked_expiry(wanted: datetime | None, now: datetime) -> datetime | None:
    """``wanted`` where it is an aware moment after ``now``; raises ``BadExpiry``."""
    if wanted is None:
        return None
    if wanted.tzinfo is None:
        raise BadExpiry(f"expected a moment with a time zone like 2027-01-31T00:00:00Z, found {wanted.isoformat()}")
    if wanted <= now:
        raise BadExpiry(f"expected a moment in the future, found {wanted.isoformat()}; it is {now.isoformat()} now")
    return wanted


def checked_overlap(wanted: timedelta) -> timedelta:
    """``wanted`` where it is neither negative nor longer than ``LONGEST_OVERLAP``; raises ``BadExpiry``."""
    if not timedelta(0) <= wanted <= LONGEST_OVERLAP:
        raise BadExpiry(f"expected an overlap of 0 to {LONGEST_OVERLAP.days} days, found {wanted}")
    return wanted


def end_of_new(wanted: datetime | None, caller: Key | None, former: Key | None = None) -> datetime | None:
    """The end of a key that ``caller`` makes, or puts in the place of ``former``: nobody gives more than they have.

    ``caller`` is None for the founder, whom nothing limits. Raises ``BadExpiry``.
    """
    if wanted is None and former is not None:
        wanted = former.expires_at
    limit = None if caller is None else caller.expires_at
    if limit is None:
        return wanted
    if wanted is not None and wanted > limit:
        raise BadExpiry(f"a key cannot make one that outlives it; it ends {limit.isoformat()}")
    return wanted or limit
