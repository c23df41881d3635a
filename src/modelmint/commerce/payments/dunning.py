"""When to ask again for what was refused: after 1, 3, 5 and 7 days, then never."""

from __future__ import annotations

from datetime import timedelta

WAITS = (timedelta(days=1), timedelta(days=3), timedelta(days=5), timedelta(days=7))
#: How long an attempt whose outcome nobody recorded is left to whoever made it.
ANSWER_TIME = timedelta(minutes=10)
#: How often to look after a payment that the provider says is under way.
LOOK_AGAIN = timedelta(days=1)
#: How long a provider's page to pay on stays open.
CHECKOUT_TIME = timedelta(hours=24)


def wait_after(failures: int) -> timedelta | None:
    """How long to wait after so many refusals, None where nobody asks again."""
    return WAITS[failures - 1] if failures <= len(WAITS) else None
