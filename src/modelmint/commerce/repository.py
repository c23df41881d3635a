"""What commerce needs stored; ``store`` implements it on SQLite and PostgreSQL.

Every method is one transaction, durable (synced to disk) when it returns, unless it returns a future.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from modelmint.commerce.billing.repository import Bills, Contracts, Credits
from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.channels.repository import Channels
from modelmint.commerce.ledger.repository import Journal
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.commerce.lists import Lists
from modelmint.commerce.metering.repository import Meters
from modelmint.commerce.metering.types import UsageSummary
from modelmint.commerce.payments.repository import PaymentBooks
from modelmint.commerce.people.repository import People
from modelmint.commerce.types import (
    AdmissionRequest,
    Admitted,
    Customer,
    Deployment,
    Key,
    Outcome,
    Plan,
    PlanVersion,
    Settlement,
    Subscription,
)
from modelmint.commerce.visitors.repository import Visitors
from modelmint.commerce.webhooks.repository import Outbox
from modelmint.kit.money import UnitPrice
from modelmint.kit.period import Period


@dataclass(frozen=True, slots=True)
class Ticket:
    """A reservation under way.

    ``decided`` resolves as soon as the call is admitted (or raises the refusal, once its outcome row is
    durable): the engine may start. ``durable`` resolves when it is counted for good: it is not
    lost unless the machine or the database server dies before the call is settled. What was settled is never lost.
    """

    decided: Future[Admitted]
    durable: Future[None]


class DutyLease(Protocol):
    """Held by one process of all that share the books, on whatever machine, at a time."""

    def take(self) -> bool:
        """Whether this process holds the lease now."""
        ...

    def close(self) -> None: ...


class Books(Protocol):
    """The venture's books: the hot path and the core here, the rest by subject in attributes."""

    @property
    def contracts(self) -> Contracts: ...
    @property
    def credits(self) -> Credits: ...
    @property
    def bills(self) -> Bills: ...
    @property
    def meters(self) -> Meters: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def payments(self) -> PaymentBooks: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def people(self) -> People: ...
    @property
    def channels(self) -> Channels: ...
    @property
    def lists(self) -> Lists: ...
    @property
    def visitors(self) -> Visitors: ...

    # admission and metering: the hot path, group-committed
    def reserve(self, request: AdmissionRequest) -> Ticket: ...
    def settle(self, settlement: Settlement, *, here: bool = False) -> Future[Outcome]:
        """What the call came to; resolves when that is durable.

        ``here``: the caller waits for nothing else, so it may be written on the caller's own thread.
        """
        ...

    def refuse(self, request: AdmissionRequest, status: int, code: str) -> Future[None]:
        """Leave an outcome row for a call refused before admission (unknown model, not an image, too large).

        Raises through the future: ``Unauthenticated`` where the key is wrong (no row is left then).
        """
        ...

    def release_stale(self) -> int:
        """Close open reservations of dead processes as never billable; how many."""
        ...

    # customers, keys, plans
    def add_customer(self, name: str, email: str, *, referral: str | None = None) -> Customer:
        """``referral``: the code that the sign-up came with; it says channel and partner, now and never again.

        Raises ``BadName``, ``CustomerExists``, ``UnknownReferral``.
        """
        ...

    def customers(self) -> list[Customer]: ...
    def customer(self, wanted: str) -> Customer:
        """By id, else by exact name; raises ``UnknownCustomer``."""
        ...

    def add_key(
        self, customer: str, name: str, scopes: Sequence[str] | None = None, expires_at: datetime | None = None
    ) -> tuple[Key, str]:
        """The key and its secret, which is never to be seen again; without ``scopes`` all but ``partner``.

        Raises ``BadName``, ``BadScope``, ``BadExpiry``, ``CustomerErased``, ``TooManyKeys``.
        """
        ...

    def keys(self, customer: str | None = None) -> list[Key]: ...
    def revoke_key(self, key: str) -> Key: ...
    def key_by_digest(self, digest: str) -> Key:
        """Raises ``Unauthenticated`` for an unknown, revoked or expired key."""
        ...

    def put_plans(
        self, plans: Sequence[Plan], effective: Mapping[str, datetime] | None = None, origin: str = "file"
    ) -> None:
        """These are on sale from now on, those in ``effective`` from then on; who holds one keeps its version.

        ``origin`` "file": exactly these, a plan that the file stated before and leaves out is withdrawn. "api": these
        beside the others; raises ``PlanInFile`` for a name that the file states.
        """
        ...

    def withdraw_plan(self, name: str) -> None:
        """Take a plan off sale; who holds it keeps it. Raises ``UnknownPlan``, ``PlanInFile``."""
        ...

    def plan_versions(self, name: str | None = None) -> list[PlanVersion]:
        """Every version ever stored, oldest first; raises ``UnknownPlan``."""
        ...

    def plans(self) -> list[Plan]:
        """The version on sale of each plan that is."""
        ...

    def plan(self, name: str, version: str | None = None) -> Plan:
        """The version given, on sale or not; without one the version on sale. Raises ``UnknownPlan``."""
        ...

    def subscribe(self, customer: str, plan: str) -> Subscription:
        """From now on; ends the former subscription at the same moment."""
        ...

    def subscriptions(self, customer: str) -> list[Subscription]: ...

    # usage and money
    def usage(self, customer: str, period: Period) -> UsageSummary: ...
    def outcomes(self, customer: str | None = None, period: Period | None = None) -> Iterable[Outcome]: ...
    def counts(self) -> dict[tuple[str, int, str], int]:
        """(model, status, code) -> outcomes so far; for /metrics, over all processes."""
        ...

    def close_period(
        self,
        customer: str,
        period: Period,
        notice: str,
        *,
        until_now: bool = False,
        unit_costs: Mapping[str, UnitPrice] | None = None,
    ) -> list[Invoice]:
        """Rate and finalise, with ledger entries, in one transaction; a closed period is returned as it is.

        ``unit_costs`` is what a call of each release costs here: with it the ledger says what usage cost.

        Gives all invoices inside ``period``, in the order of their numbers: one per subscription and billing
        period that has something to bill. ``until_now`` cuts a period that has not ended at this moment; the
        next closing bills from there, so that nothing is lost or billed twice. Raises ``PeriodNotOver``,
        ``EarlierPeriodOpen``.
        """
        ...

    def draft_period(self, customer: str, period: Period, notice: str) -> list[Invoice]:
        """What ``close_period(until_now=True)`` would add now, number 0; nothing is stored."""
        ...

    def invoices(self, customer: str | None = None) -> list[Invoice]: ...
    def invoice(self, wanted: str) -> Invoice: ...
    def ledger(self) -> list[LedgerEntry]: ...

    # deployments
    def deploy(self, name: str, release: str, model: str, variant: str | None) -> Deployment: ...
    def deployments(self) -> list[Deployment]:
        """The newest of each public name."""
        ...

    def deployment_history(self, name: str) -> list[Deployment]: ...
    def duty_lease(self) -> DutyLease:
        """For the process that does the housekeeping."""
        ...

    def now(self) -> datetime:
        """The books' clock."""
        ...

    def close(self) -> None: ...
