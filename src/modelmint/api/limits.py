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
    policies, left = [], []
    headers: Headers = []
    if admitted.rate_limit is not None:
        policies.append(f'"minute";q={admitted.rate_limit};w={WINDOW_SECONDS}')
        headers.append((b"ratelimit-limit", str(admitted.rate_limit).encode()))
    if admitted.remaining is not None:
        left.append(f'"plan";r={admitted.remaining}')
        headers.append((b"x-plan-remaining", str(admitted.remaining).encode()))
    if policies:
        headers.append((b"ratelimit-policy", ", ".join(policies).encode()))
    if left:
        headers.append((b"ratelimit", ", ".join(left).encode()))
    return headers
