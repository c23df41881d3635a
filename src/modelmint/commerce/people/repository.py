"""What people needs stored; ``store`` implements it."""

from __future__ import annotations

from typing import Protocol


class People(Protocol):
    """Keys, the audit log, erasure, alarms."""
