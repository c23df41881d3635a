"""What ledger needs stored; ``store`` implements it."""

from __future__ import annotations

from typing import Protocol


class Journal(Protocol):
    """The hash-chained ledger: verify, segments, exports."""
