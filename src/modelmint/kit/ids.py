"""Names for things: a prefix that says what it is, then a time-ordered random part (as in ULID)."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, lower case


def _base32(value: int, length: int) -> str:
    digits = []
    for _ in range(length):
        value, digit = divmod(value, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def new_id(prefix: str) -> str:
    """``prefix_`` and 24 characters: 48 bits of milliseconds, 70 random bits. Sorts by time of making."""
    return f"{prefix}_{_base32(time.time_ns() // 1_000_000, 10)}{_base32(secrets.randbits(70), 14)}"


def new_secret(prefix: str) -> str:
    """A secret with 256 random bits behind ``prefix_``; for API keys and tokens."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"
