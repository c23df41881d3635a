"""What billing needs stored; ``store`` implements it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from modelmint.commerce.billing.types import Preview, Scheduled
from modelmint.commerce.types import Subscription

#: "now", "period_end" (of the billing period that holds now), or a moment to come.
When = str | datetime


class Contracts(Protocol):
    """How customers hold plans over time. Customers by id or exact name.

    All of them raise ``UnknownCustomer`` and, for a moment that is past, ``MomentNotAhead``.
    """

    def change(self, customer: str, plan: str, when: When = "now") -> Subscription:
        """Hold the version of ``plan`` that is on sale now from then on; what was planned after it is undone.

        Holding it already changes nothing. Raises ``UnknownPlan``.
        """
        ...

    def cancel(self, customer: str, when: When = "now") -> Subscription:
        """Hold nothing from then on; gives what ends. Raises ``NothingHeld``."""
        ...

    def pause(self, customer: str, when: When = "now") -> Subscription:
        """No fee and no call from then on, until it is resumed. Changes that are planned still happen."""
        ...

    def resume(self, customer: str, when: When = "now") -> Subscription:
        """Go on where it was paused; what is not paused goes on as it is. Raises ``NothingHeld``."""
        ...

    def unschedule(self, customer: str) -> Subscription | None:
        """Undo all that is planned: what is held now, if anything, goes on."""
        ...

    def current(self, customer: str) -> Subscription | None:
        """What is held now, paused or not."""
        ...

    def scheduled(self, customer: str) -> list[Scheduled]:
        """What is planned, in the order of time."""
        ...

    def preview(self, customer: str, plan: str | None, when: When = "now", notice: str = "") -> Preview:
        """What ``change`` (``cancel`` without a plan) would do to the invoices; nothing is stored."""
        ...


class Credits(Protocol):
    """Prepaid credit: grants, what is left."""


class Bills(Protocol):
    """What becomes of finalised invoices: paid, void, credit notes."""
