"""What metering needs stored; ``store`` implements it."""

from __future__ import annotations

from typing import Protocol


class Meters(Protocol):
    """Usage events in, usage tables out."""
