"""RateLimit headers: what the plan allows and what is left.

``RateLimit-Policy`` and ``RateLimit`` follow draft-ietf-httpapi-ratelimit-headers-10 (structured fields); the
three older ``RateLimit-Limit/Remaining/Reset`` are what most clients read today and speak of the rate.
"""

from __future__ import annotations

from modelmint.api.problems import Headers
from modelmint.commerce.types import Admitted

WINDOW_SECONDS = 60


def limit_headers(admitted: Admitted) -> Headers:
    """Headers for an admitted call; none where the plan has no limit."""
    headers: Headers = []
    left = []
    if admitted.rate_limit is not None:
        headers.append((b"ratelimit-policy", b'"minute";q=%d;w=%d' % (admitted.rate_limit, WINDOW_SECONDS)))
        headers.append((b"ratelimit-limit", b"%d" % admitted.rate_limit))
        if admitted.rate_remaining is not None and admitted.rate_reset is not None:
            left.append(b'"minute";r=%d;t=%d' % (admitted.rate_remaining, admitted.rate_reset))
            headers.append((b"ratelimit-remaining", b"%d" % admitted.rate_remaining))
            headers.append((b"ratelimit-reset", b"%d" % admitted.rate_reset))
    if admitted.remaining is not None:
        left.append(b'"plan";r=%d' % admitted.remaining)
    if left:
        headers.append((b"ratelimit", b", ".join(left)))
    return headers
