"""Names for things: a prefix that says what it is, then a time-ordered random part (as in ULID)."""

from __future__ import annotations

import os
import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, lower case
#: Any byte as one of the 32 digits, each as likely as the others.
_DIGIT = bytes(ord(_ALPHABET[byte & 31]) for byte in range(256))
#: Digits of time and of chance.
_TIME, _CHANCE = 10, 14
#: Random parts made at once: asking the system for each would cost more than all the rest.
_AT_ONCE = 256

_ready: list[str] = []
_last: tuple[int, str] = (-1, "")

# A child process must not make the names that its parent has in store.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ready.clear)


def _chance() -> str:
    """70 random bits. Taking from the list is atomic, so no two threads get the same."""
    while True:
        try:
            return _ready.pop()
        except IndexError:
            digits = os.urandom(_CHANCE * _AT_ONCE).translate(_DIGIT).decode()
            _ready.extend(digits[start : start + _CHANCE] for start in range(0, len(digits), _CHANCE))


def _base32(value: int, length: int) -> str:
    return "".join([_ALPHABET[value >> shift & 31] for shift in range(length * 5 - 5, -1, -5)])


def new_id(prefix: str) -> str:
    """``prefix_`` and 24 characters: 48 bits of milliseconds, 70 random bits. Sorts by time of making."""
    global _last  # one pair, replaced whole: threads that race compute the same text twice
    now = time.time_ns() // 1_000_000
    at, digits = _last
    if at != now:
        digits = _base32(now, _TIME)
        _last = (now, digits)
    return f"{prefix}_{digits}{_chance()}"


def new_secret(prefix: str) -> str:
    """A secret with 256 random bits behind ``prefix_``; for API keys and tokens."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"
