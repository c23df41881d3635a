"""What payments needs stored; ``store`` implements it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from modelmint.commerce.payments.types import Answer, Attempt, PaymentEvent, UsageReport
from modelmint.commerce.payments.usage_sink import UsageLimits
from modelmint.kit.period import Period


class UsageReports(Protocol):
    """What of usage a provider was told.

    A report is written, with its quantity, before it is sent, and its id is the identifier that counts once: after a
    crash in between it is sent again under the same name and with the same quantity.
    """

    def plan(self, provider: str, meters: Collection[str], days: Period) -> int:
        """Write reports of what customers whom the provider knows used and no report holds; how many."""
        ...

    def due(self, provider: str) -> list[str]:
        """Ids of reports to send now: those of which nobody knows whether they came first, then in order."""
        ...

    def begin(self, report: str, limits: UsageLimits) -> UsageReport | None:
        """The report, to be sent now; None where another process sends it, or where it is given up and told of."""
        ...

    def sent(self, report: str) -> None:
        """It was counted."""
        ...

    def refused(self, report: str, reason: str) -> None:
        """It was not counted: told, once for a meter and a reason, and tried again in a day."""
        ...

    def all(self, *, limit: int = 100) -> list[UsageReport]:
        """Newest first."""
        ...


class PaymentBooks(Protocol):
    """Attempts to collect, and what providers told.

    An attempt is written before the provider is asked, and its id is the idempotency key: after a crash in between
    it is asked again under the same key, so nothing is taken twice.
    """

    @property
    def reports(self) -> UsageReports:
        """What of usage providers were told."""
        ...

    def reference(self, provider: str, customer: str) -> str | None:
        """What the provider calls the customer."""
        ...

    def keep_reference(self, provider: str, customer: str, reference: str) -> None: ...

    def collectable(self) -> list[str]:
        """Ids of invoices to ask for now: owed, neither void nor given up, nothing under way, not waiting."""
        ...

    def begin(self, invoice: str, provider: str, *, kind: str = "collect", early: bool = False) -> Attempt:
        """A new attempt, or the one that a crash left open. Only one is under way at a time, over all processes.

        ``early`` asks before the wait after a refusal is over. Raises ``NothingDue``, ``PaymentUnderWay``.
        """
        ...

    def finish(self, attempt: str, answer: Answer) -> Attempt:
        """What the provider said. A refusal is asked for again after 1, 3, 5 and 7 days, then given up."""
        ...

    def apply(self, event: PaymentEvent) -> bool:
        """Take note of what a provider told, once; whether it was new. A success is never undone by a failure."""
        ...

    def attempts(self, invoice: str | None = None, *, limit: int = 100, since: datetime | None = None) -> list[Attempt]:
        """Newest first."""
        ...
