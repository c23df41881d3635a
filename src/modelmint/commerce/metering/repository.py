"""What metering needs stored; ``store`` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from modelmint.commerce.metering.types import LogPage, Recorded, UsageEvent, UsageRow
from modelmint.kit.period import Period


class Meters(Protocol):
    """Usage events in, usage tables out."""

    def record(self, customer: str, key: str, events: Sequence[UsageEvent]) -> Recorded:
        """All of them, durably, or none; what is known already with the same content is counted and not stored.

        ``key`` is the key that reported them, "" for the founder. Raises ``EventConflict``, ``NoPlan``,
        ``MixedCurrencies``, ``MeterFull``, or ``BadEvents`` where several of these meet; every problem at once.
        """
        ...

    def table(self, customer: str | None, period: Period, by: Sequence[str] = ()) -> list[UsageRow]:
        """Billable usage booked in ``period``, by meter and by what else is wanted.

        ``by`` names some of "day", "model", "variant", "key", "state". Read from roll-ups: as fast for many events
        as for few.
        """
        ...

    def log(self, customer: str, period: Period, after: str = "", limit: int = 1000) -> LogPage:
        """What was booked in ``period``, one by one: calls first, then events, each in the order of booking.

        ``after`` is a former page's ``next``. Raises ``BadPosition`` for one that is none.
        """
        ...
