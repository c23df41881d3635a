"""What webhooks needs stored; ``store`` implements it."""

from __future__ import annotations

from typing import Protocol


class Outbox(Protocol):
    """Endpoints, messages, deliveries."""
