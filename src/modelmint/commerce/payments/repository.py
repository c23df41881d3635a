"""What payments needs stored; ``store`` implements it."""

from __future__ import annotations

from typing import Protocol


class PaymentBooks(Protocol):
    """Attempts to collect, and what providers told."""
