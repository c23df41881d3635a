"""What billing needs stored; ``store`` implements it."""

from __future__ import annotations

from typing import Protocol


class Contracts(Protocol):
    """How customers hold plans over time: change, preview, pause, resume, cancel."""


class Credits(Protocol):
    """Prepaid credit: grants, what is left."""


class Bills(Protocol):
    """What becomes of finalised invoices: paid, void, credit notes."""
