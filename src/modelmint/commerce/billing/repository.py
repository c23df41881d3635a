"""What billing needs stored; ``store`` implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from modelmint.commerce.billing.types import (
    BillingDetails,
    ClosedDue,
    Grant,
    GrantLeft,
    Invoice,
    InvoiceStatus,
    Preview,
    Scheduled,
)
from modelmint.commerce.types import Customer, Plan, Subscription
from modelmint.kit.money import Money, UnitPrice

#: "now", "period_end" (of the billing period that holds now), or a moment to come.
When = str | datetime


class Contracts(Protocol):
    """How customers hold plans over time. Customers by id or exact name.

    All of them raise ``UnknownCustomer``, for a moment that is past ``MomentNotAhead``, for one that is more than 400
    days ahead ``MomentTooFar``. ``own``: the customer itself asks; it gives up a fee, or a part of it, at the end of a
    billing period only (``OnlyAtPeriodEnd``).
    """

    def change(self, customer: str, plan: str, when: When = "now", *, own: bool = False) -> Subscription:
        """Hold the version of ``plan`` that is on sale now from then on; what was planned after it is undone.

        Holding it already changes nothing. Raises ``UnknownPlan``.
        """
        ...

    def hold(self, customer: str, plan: Plan) -> Subscription:
        """Hold ``plan`` from now on, which is on sale to nobody: not before, not meanwhile, not after."""
        ...

    def cancel(self, customer: str, when: When = "now", *, own: bool = False) -> Subscription:
        """Hold nothing from then on; gives what ends. Raises ``NothingHeld``."""
        ...

    def pause(self, customer: str, when: When = "now", *, own: bool = False) -> Subscription:
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

    def preview(
        self, customer: str, plan: str | None, when: When = "now", notice: str = "", *, own: bool = False
    ) -> Preview:
        """What ``change`` (``cancel`` without a plan) would do to the invoices; nothing is stored, no call waits.

        What ``own`` forbids is previewed all the same, with ``refused``.
        """
        ...


class Credits(Protocol):
    """Prepaid credit: grants, what is left. Customers by id or exact name."""

    def grant(
        self,
        customer: str,
        amount: Money,
        *,
        priority: int = 10,
        expires_at: datetime | None = None,
        source: str = "purchase",
        note: str = "",
    ) -> Grant:
        """Give credit, booked at once. ``expires_at`` is a midnight (UTC) to come. Raises ``BadCredit``."""
        ...

    def grants(self, customer: str) -> list[GrantLeft]:
        """All, in the order of granting."""
        ...

    def balance(self, customer: str) -> list[Money]:
        """What is left and has not run out, by currency; usage that is not billed yet is not taken off."""
        ...

    def expire(self) -> int:
        """Book what ran out before all its time was billed as earned; how many grants. Idempotent."""
        ...

    def renew(self) -> int:
        """Find anew how many calls prepaid credit covers, where that held until a moment now past; of how many."""
        ...

    def watch(self) -> int:
        """Tell of prepaid credit that runs low, once for each newest grant; of how many customers."""
        ...


class Bills(Protocol):
    """What becomes of finalised invoices. Invoices by id or number; all raise ``UnknownInvoice``."""

    def status(self, invoice: str) -> InvoiceStatus: ...
    def statuses(self, customer: str | None = None) -> dict[str, str]:
        """Invoice id -> "finalised", "paid", "void" or "uncollectible"."""
        ...

    def owed(self, invoice: str) -> Money:
        """What is unpaid of it, less its credit notes."""
        ...

    def credit_notes(self, invoice: str) -> list[Invoice]: ...
    def pay(self, invoice: str, reference: str = "") -> InvoiceStatus:
        """All that is owed came in by hand (a transfer, cash). Twice with one reference is once.

        Raises ``InvoiceNotOpen``.
        """
        ...

    def void(self, invoice: str, reason: str = "") -> InvoiceStatus:
        """It never counted; what it burnt of credit is there again. Raises ``InvoiceNotOpen``, for paid ones too."""
        ...

    def uncollectible(self, invoice: str, reason: str = "") -> InvoiceStatus:
        """Give it up; it may still be paid. Raises ``InvoiceNotOpen``."""
        ...

    def credit_note(
        self, invoice: str, reason: str, *, lines: Sequence[int] = (), amount: Money | None = None
    ) -> Invoice:
        """Take back lines (positions from 1), an amount before tax, or all that is left, with its tax.

        What is unpaid is owed no longer, the rest becomes prepaid credit. Raises ``BadCorrection``,
        ``InvoiceNotOpen``.
        """
        ...

    def close_due(self, notice: str, unit_costs: Mapping[str, UnitPrice] | None = None) -> ClosedDue:
        """Bill every customer's billing periods that have ended, one short transaction each; the new invoices.

        One that fails holds up nobody else: it is logged, told, and in the audit log as ``closing.failed``, once a
        day. Raises ``BooksUnavailable``, ``BooksCorrupted``.
        """
        ...

    def set_details(self, customer: str, details: BillingDetails) -> Customer:
        """Tax, address, language, anchor. Raises ``BadBillingDetails`` with every problem, ``AnchorFixed``."""
        ...
