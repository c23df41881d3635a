"""When a message that was not taken is sent again: soon at first, then seldom, for three days."""

from __future__ import annotations

from datetime import timedelta

#: Waits after the first, second, ... failure: 3 days and 3 hours in all.
WAITS = (
    timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2),
    timedelta(hours=5), timedelta(hours=10), timedelta(hours=14), timedelta(hours=20), timedelta(hours=24),
)  # fmt: skip
#: A wait is longer by up to this share, in thousandths: many messages that failed together do not come back together.
JITTER = 200


def wait_after(failures: int, luck: int) -> timedelta | None:
    """How long to wait after so many failures, None where it is given up. ``luck`` is 0 to 1000, by chance."""
    if failures > len(WAITS):
        return None
    base = WAITS[failures - 1]
    return base + base * (JITTER * luck) // 1_000_000
