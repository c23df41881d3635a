"""What channels needs stored; ``store`` implements it."""

from __future__ import annotations

from typing import Protocol


class Channels(Protocol):
    """Partners, referral codes, statements."""
