"""Names for things: a prefix that says what it is, then a time-ordered random part (as in ULID)."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, lower case
#: Two digits at once: names are made for every call.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def _base32(value: int, length: int) -> str:
    """``value`` in an even number of digits."""
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(length * 5 - 10, -1, -10)])


def new_id(prefix: str) -> str:
    """``prefix_`` and 24 characters: 48 bits of milliseconds, 70 random bits. Sorts by time of making."""
    return f"{prefix}_{_base32(time.time_ns() // 1_000_000 << 70 | secrets.randbits(70), 24)}"


def new_secret(prefix: str) -> str:
    """A secret with 256 random bits behind ``prefix_``; for API keys and tokens."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"
