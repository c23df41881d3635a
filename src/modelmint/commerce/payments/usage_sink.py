"""Whoever charts usage beside us: told how much of each meter a customer used, a day at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class UsageLimits:
    """What a sink takes."""

    #: Usage that lies further back is refused.
    age: timedelta
    #: For how long at least the same identifier counts once.
    memory: timedelta


@runtime_checkable
class UsageSink(Protocol):
    """What a payment provider may be besides: no part of ``PaymentProvider``; nothing that is owed depends on it."""

    @property
    def name(self) -> str:
        """As in ``PaymentProvider``."""
        ...

    @property
    def usage_limits(self) -> UsageLimits:
        """How far back usage is taken, how long identifiers are remembered."""
        ...

    def report_usage(self, customer: str, meter: str, quantity: int, identifier: str, at: datetime) -> None:
        """Add ``quantity`` to what ``customer`` (what ``enrol`` gave) used of ``meter``; no error where it was counted.

        The same ``identifier`` twice counts once. Raises ``ProviderRefused`` where it was not counted, and
        ``ProviderUnavailable`` where nobody knows.
        """
        ...
