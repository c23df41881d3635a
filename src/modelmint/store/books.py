"""``commerce.repository.Books`` on SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta

from modelmint.commerce.billing import periods as billing
from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.commerce.metering.types import UsageSummary
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.repository import Ticket
from modelmint.commerce.types import (
    AdmissionRequest,
    Customer,
    Deployment,
    Key,
    Outcome,
    Plan,
    PlanVersion,
    Settlement,
    Subscription,
)
from modelmint.kit.clock import Clock
from modelmint.kit.ids import new_id
from modelmint.kit.money import UnitPrice
from modelmint.kit.period import Period
from modelmint.store import (
    catalogue,
    closing,
    deployments,
    drafting,
    invoices,
    keys,
    leftovers,
    people,
    prepaid,
    referrals,
    spans,
    usage,
    usage_tables,
)
from modelmint.store.bills import SqlBills
from modelmint.store.channels import SqlChannels
from modelmint.store.contracts import SqlContracts
from modelmint.store.credits import SqlCredits
from modelmint.store.database import Database
from modelmint.store.duty_lease import DutyLease
from modelmint.store.entries import entries_of
from modelmint.store.feedback import SqlFeedback
from modelmint.store.leases import wait_given_back
from modelmint.store.ledger import SqlJournal
from modelmint.store.lists import SqlLists
from modelmint.store.memory import Memory, NotedClock
from modelmint.store.meters import SqlMeters
from modelmint.store.operation import RELEASED
from modelmint.store.outbox import SqlOutbox
from modelmint.store.payments import SqlPayments
from modelmint.store.pending import DONE, resolved
from modelmint.store.persons import SqlPeople
from modelmint.store.process import this_process
from modelmint.store.reserve import Refuse, Reserve
from modelmint.store.settle import Release, Settle
from modelmint.store.transactions import Transactions
from modelmint.store.visitors import SqlVisitors
from modelmint.store.writer import GroupWriter

#: How long a call may stay open before anyone may release it, whether or not its process can be seen.
LEASE = timedelta(minutes=10)


class SqlBooks:
    """The venture's books in one database. Safe for many threads; each process opens its own."""

    def __init__(self, database: Database, clock: Clock, lease: timedelta = LEASE) -> None:
        clock = NotedClock(clock)
        self._database, self._clock = database, clock
        process = str(this_process())
        # Processes beside each other on PostgreSQL would wait for one shared row of counts.
        counts = "" if database.kind == "sqlite" else process
        memory = Memory(clock, f"{process}|{new_id('own')}", counts, lease // timedelta(microseconds=1))
        self._leases, self._lease = memory.leases, memory.lease_time
        self._writer = GroupWriter(Transactions(database, memory, self._look_at_credit), memory)
        self._counts = usage.OutcomeCounts()
        database.after_recall = self._given_back

        self.contracts = SqlContracts(database, clock)
        self.credits = SqlCredits(database, clock)
        self.bills = SqlBills(database, clock)
        self.meters = SqlMeters(database, clock)
        self.journal = SqlJournal(database, clock)
        self.payments = SqlPayments(database, clock)
        self.outbox = SqlOutbox(database, clock)
        self.people = SqlPeople(database, clock)
        self.channels = SqlChannels(database, clock)
        self.lists = SqlLists(database)
        self.feedback = SqlFeedback(database, clock)
        self.visitors = SqlVisitors(database, clock)

    # admission and metering
    def reserve(self, request: AdmissionRequest) -> Ticket:
        admitted = self._leases.admit(request)
        if admitted is not None:
            return Ticket(resolved(admitted), DONE)
        operation = Reserve(request)
        self._writer.submit(operation)
        return operation.ticket

    def settle(self, settlement: Settlement, *, here: bool = False) -> Future[Outcome]:
        operation = Settle(settlement)
        if here:
            self._writer.settle_here(operation)
        else:
            self._writer.submit(operation)
        return operation.future

    def refuse(self, request: AdmissionRequest, status: int, code: str) -> Future[None]:
        operation = Refuse(request, status, code)
        self._writer.submit(operation)
        return operation.future

    def release_stale(self) -> int:
        now = micros(self._clock.now())
        alone = self._database.kind == "sqlite"
        old = self._leases.older_than(now - self._lease)
        with self._database.read() as connection:
            stale = [*old, *leftovers.stale_reservations(connection, now, shared_disk_only=alone)]
            forgotten = leftovers.stale_leases(connection, now, shared_disk_only=alone)
            expired = leftovers.has_expired_answers(connection, now)
        if expired:
            with self._database.write() as connection:
                leftovers.forget_expired_answers(connection, now)
        if forgotten:
            release = Release(forgotten)
            self._writer.submit(release)
            release.future.result()
        operations = [Settle(Settlement(name, 499, RELEASED), release=True) for name in stale]
        for operation in operations:
            self._writer.submit(operation)
        for operation in operations:
            operation.future.result()
        return sum(operation.ended for operation in operations)

    # customers, keys, plans
    def add_customer(self, name: str, email: str, *, referral: str | None = None) -> Customer:
        with self._database.write() as connection:
            came = None if referral is None else referrals.valid(connection, referral)
            partner, channel = (None, None) if came is None else (came.partner, came.channel)
            return people.add_customer(connection, name, email, self._now(), partner=partner, channel=channel)

    def customers(self) -> list[Customer]:
        with self._database.read() as connection:
            return people.all_customers(connection)

    def customer(self, wanted: str) -> Customer:
        with self._database.read() as connection:
            return people.customer(connection, wanted)

    def add_key(
        self, customer: str, name: str, scopes: Sequence[str] | None = None, expires_at: datetime | None = None
    ) -> tuple[Key, str]:
        with self._database.write() as connection:
            owner = people.living(connection, customer)
            return keys.add(connection, owner.id, name, self._now(), scopes, expires_at)

    def keys(self, customer: str | None = None) -> list[Key]:
        with self._database.read() as connection:
            owner = None if customer is None else people.customer(connection, customer).id
            return keys.all_of(connection, owner)

    def revoke_key(self, key: str) -> Key:
        with self._database.write() as connection:
            return keys.revoke(connection, key, self._now())

    def key_by_digest(self, digest: str) -> Key:
        with self._database.read() as connection:
            return keys.by_digest(connection, digest, self._now())

    def put_plans(
        self, plans: Sequence[Plan], effective: Mapping[str, datetime] | None = None, origin: str = "file"
    ) -> None:
        now, dates = self._now(), effective or {}
        with self._database.read() as connection:
            if not catalogue.changes(connection, plans, dates, origin, now):
                return
        with self._database.write() as connection:
            catalogue.put_plans(connection, plans, dates, origin, now)

    def withdraw_plan(self, name: str) -> None:
        with self._database.write() as connection:
            catalogue.withdraw(connection, name, self._now())

    def plans(self) -> list[Plan]:
        with self._database.read() as connection:
            return catalogue.all_plans(connection, self._now())

    def plan(self, name: str, version: str | None = None) -> Plan:
        with self._database.read() as connection:
            return catalogue.plan(connection, name, version, self._now())

    def plan_versions(self, name: str | None = None) -> list[PlanVersion]:
        with self._database.read() as connection:
            return catalogue.versions(connection, self._now(), name)

    def subscribe(self, customer: str, plan: str) -> Subscription:
        return self.contracts.change(customer, plan)

    def subscriptions(self, customer: str) -> list[Subscription]:
        with self._database.read() as connection:
            return spans.of_customer(connection, people.customer(connection, customer).id)

    # usage and money
    def usage(self, customer: str, period: Period) -> UsageSummary:
        with self._database.read() as connection:
            return usage_tables.summary(connection, people.customer(connection, customer).id, period)

    def outcomes(self, customer: str | None = None, period: Period | None = None) -> Iterable[Outcome]:
        wanted = None if customer is None else self.customer(customer).id
        return usage.stream(self._database, wanted, period)

    def counts(self) -> dict[tuple[str, int, str], int]:
        with self._database.read() as connection:
            return self._counts.read(connection, micros(self._clock.now()))

    def close_period(
        self,
        customer: str,
        period: Period,
        notice: str,
        *,
        until_now: bool = False,
        unit_costs: Mapping[str, UnitPrice] | None = None,
    ) -> list[Invoice]:
        with self._database.write() as connection:
            now = self._clock.now()
            end = billing.end_of(period, now, until_now=until_now)
            terms = drafting.Terms(people.customer(connection, customer), notice, now, unit_costs or {})
            return closing.close(connection, terms, period, end)

    def draft_period(self, customer: str, period: Period, notice: str) -> list[Invoice]:
        with self._database.read() as connection:
            now = self._clock.now()
            end = billing.end_of(period, now, until_now=True)
            terms = drafting.Terms(people.customer(connection, customer), notice, now)
            return drafting.draft(connection, terms, period, end)

    def invoices(self, customer: str | None = None) -> list[Invoice]:
        with self._database.read() as connection:
            owner = None if customer is None else people.customer(connection, customer).id
            return invoices.every(connection, owner)

    def invoice(self, wanted: str) -> Invoice:
        with self._database.read() as connection:
            return invoices.one(connection, wanted)

    def ledger(self) -> list[LedgerEntry]:
        with self._database.read() as connection:
            return list(entries_of(connection))

    # deployments
    def deploy(self, name: str, release: str, model: str, variant: str | None) -> Deployment:
        now = self._now()
        deployment = Deployment(name, release, model, variant, moment(now))
        with self._database.write() as connection:
            deployments.deploy(connection, deployment, now)
        return deployment

    def deployments(self) -> list[Deployment]:
        with self._database.read() as connection:
            return deployments.current(connection)

    def deployment_history(self, name: str) -> list[Deployment]:
        with self._database.read() as connection:
            return deployments.history(connection, name)

    def duty_lease(self) -> DutyLease:
        return DutyLease(self._database)

    def now(self) -> datetime:
        return self._clock.now()

    def close(self) -> None:
        """Finish what is queued and close; calls after it fail with ``BooksUnavailable``."""
        self._writer.close()
        self._database.close()

    def _given_back(self, customers: set[str]) -> None:
        """Wait until no process admits anybody on what was true before these customers' leases were recalled."""
        if not self._writer.is_this_thread():
            self._writer.nudge()
            wait_given_back(self._database, customers)

    def _look_at_credit(self, subscription: str) -> None:
        with self._database.write() as connection:
            prepaid.refresh(connection, subscription, self._now())

    def _now(self) -> int:
        return micros(self._clock.now())
