"""One transaction of the hot path: read what a batch of calls needs, decide each in order, write it all.

This is the one place where a call is admitted and counted. The decisions are pure (commerce.admission); here
they are made on rows that this transaction holds, so limits are exact over any number of processes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from modelmint.commerce.admission import Account, authenticate
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Outcome, Plan
from modelmint.store import hot_sql
from modelmint.store.counts import Counts
from modelmint.store.hot_rows import Rollups, bucket_of, outcome_from, outcome_row
from modelmint.store.hot_sql import HotConnection
from modelmint.store.lease import Reservation
from modelmint.store.lending import Lending
from modelmint.store.memory import Memory


class Batch:
    """The rows that a batch works on, and what it will write."""

    def __init__(self, connection: HotConnection, memory: Memory) -> None:
        self.connection = connection
        self.memory = memory
        self._accounts: dict[str, Account] = {}
        self._offers: list[Plan] | None = None
        self.counts = Counts(connection)
        self.reservations: dict[str, Reservation] = {}
        self.settled: dict[str, Outcome] = {}
        self._new_reservations: list[tuple[Any, ...]] = []
        self._ended: list[tuple[str]] = []
        self._outcomes: list[tuple[Any, ...]] = []
        self._used: set[str] = set()
        self._tells_stored = False
        self.answers: dict[tuple[str, str], tuple[str, bytes | None, int] | None] = {}
        self._answer_writes: list[tuple[str, tuple[Any, ...]]] = []
        self._abroad: set[str] = set()
        #: Subscriptions whose prepaid credit is to be looked at after this batch.
        self.refreshes: set[str] = set()
        self._clocked = memory.clock.now()
        self.now = micros(self._clocked)
        closed = memory.closed = connection.begin()
        #: When this batch's outcomes are booked: never inside a closed period, whatever the clock says.
        self.booked = max(self.now, closed)
        self.booked_at: datetime = moment(self.booked)
        self._rollups = Rollups(memory.counting_owner, bucket_of(self.booked, closed))
        self.lending = Lending(connection, memory.leases, self.counts, memory.owner, memory.lease_time)

    def load(self, digests: Iterable[str], settling: Iterable[str]) -> None:
        """Read keys, calls under way and the subscriptions of both, locking in one order everywhere."""
        connection, leases = self.connection, self.memory.leases
        self.lending.look(self.now)
        closed, on_lease = leases.closed(), {}
        asked: set[str] = set()
        for name in set(settling):
            call = leases.under_way(name)
            if call is not None and call.lease is not None and call.lease.is_open:
                on_lease[call.lease.id] = call.lease
            else:
                asked.add(name)
        if asked:
            for row in connection.rows(hot_sql.RESERVATIONS, (connection.strings(sorted(asked)),)):
                self.reservations[row[0]] = Reservation(*row)
        wanted = sorted(set(digests))
        keys = connection.rows(hot_sql.KEYS, (connection.strings(wanted),)) if wanted else []
        held = {reservation.subscription for reservation in self.reservations.values()}
        held.update(lease.subscription for lease in closed)
        held.update(lease.subscription for lease in on_lease.values() if lease.is_low)
        spans: dict[str, Any] = {}
        if keys or held:
            at = max(self.booked, micros(self.memory.clock.newest))
            spans = self.counts.load({row[2] for row in keys}, held, at)
        for row in keys:
            account = self._accounts[row[0]] = self._account(row, spans.get(row[2]))
            lease = leases.of(account.subscription or "")
            if lease is not None:
                on_lease[lease.id] = lease
        self.lending.know(on_lease.values())
        self.lending.load(closed)
        for lease in closed:
            self._hold(self.lending.give_back(lease))

    def _hold(self, calls: Iterable[Reservation]) -> None:
        """Calls of a lease that is given back are held one by one from now on."""
        for call in calls:
            self.reserve(call)
            self.reservations[call.id] = call

    def call_under_way(self, name: str) -> Reservation | None:
        """A call that was admitted and has not ended."""
        if name in self.settled:
            return None
        return self.reservations.get(name) or self.lending.under_way(name)

    def bring_back(self, subscription: str) -> bool:
        """Count what was borrowed and is not used as not used; whether there was any.

        First what this process borrowed, then what dead processes did. Others are asked to give back.
        """
        calls = self.lending.bring_home(subscription)
        if calls is not None:
            self._hold(calls)
            return True
        released, asked = self.lending.bring_back(subscription, shared_disk_only=self.connection.kind == "sqlite")
        if asked:
            self._abroad.add(subscription)
        return released

    def is_abroad(self, subscription: str) -> bool:
        """Whether other processes were asked in this batch."""
        return subscription in self._abroad

    def _account(self, key: Any, span: Any) -> Account:
        _, name, customer, revoked, expires_at, scopes, anchor = key
        more = {"expires_at": expires_at, "scopes": tuple(scopes.split()), "anchor": anchor}
        if span is None:
            return Account(customer, name, revoked is not None, None, None, **more)
        return Account(
            customer,
            name,
            revoked is not None,
            span[0],
            self.memory.plan(self.connection, span[2], span[3]),
            paused=span[11] == "paused",
            span_ends_at=span[10],
            prepaid_calls=span[12],
            prepaid_until=span[13],
            **more,
        )

    def period_of(self, anchor: int) -> tuple[int, int]:
        """The billing period that holds now, for customers with this anchor."""
        return self.memory.period(self._clocked, self.now, anchor)

    def account(self, digest: str | None) -> Account:
        """Who calls; raises ``Unauthenticated``."""
        if digest is None:
            return authenticate(None, presented=False, now=self.now)
        account = authenticate(self._accounts.get(digest), presented=True, now=self.now)
        if self.memory.is_new_use(account.key, self.now):
            self._used.add(account.key)
        return account

    def offers(self) -> list[Plan]:
        """The plans on sale, read once where a refusal needs them."""
        if self._offers is None:
            rows = self.connection.rows(hot_sql.OFFERS, (self.now,))
            self._offers = [self.memory.plan(self.connection, name, version) for name, version in rows]
        return self._offers

    def answer(self, customer: str, key: str) -> tuple[str, bytes | None, int] | None:
        """(fingerprint, stored answer, since when) of an idempotency key."""
        name = (customer, key)
        if name not in self.answers:
            found = self.connection.rows(hot_sql.ANSWER, name)
            self.answers[name] = (
                (found[0][0], None if found[0][1] is None else bytes(found[0][1]), found[0][2]) if found else None
            )
        return self.answers[name]

    def open_answer(self, customer: str, key: str, fingerprint: str) -> None:
        """A call with an idempotency key begins."""
        self.answers[customer, key] = (fingerprint, None, self.now)
        self._answer_writes.append((hot_sql.OPEN_ANSWER, (customer, key, fingerprint, self.now)))

    def close_answer(self, customer: str, key: str, answer: bytes | None) -> None:
        """It ended: its answer is kept, or (None) it may be tried again."""
        known = self.answer(customer, key)
        if answer is None or known is None:
            self.answers[customer, key] = None
            self._answer_writes.append((hot_sql.DROP_ANSWER, (customer, key)))
        else:
            self.answers[customer, key] = (known[0], answer, known[2])
            self._answer_writes.append((hot_sql.KEEP_ANSWER, (answer, customer, key)))

    def reserve(self, reservation: Reservation) -> None:
        """A call begins."""
        r = reservation
        self._new_reservations.append(
            (r.id, r.customer, r.key, r.subscription, r.model, r.calls, r.items, r.month, self.memory.owner,
             (r.began or self.now) + self.memory.lease_time, r.idempotency_key)
        )  # fmt: skip

    def end(self, call: Reservation, outcome: Outcome, unused: int) -> None:
        """A call ended and did not use ``unused`` of its calls."""
        self.settled[call.id] = outcome
        if call.lease is not None:
            self.lending.end(call, unused)
            self.book(outcome, call.lease.account.anchor)
            return
        self.counts.give_back(call.subscription, unused, call.month)
        self.drop(call)
        self.book(outcome, self.counts.anchor(call.subscription))

    def drop(self, call: Reservation) -> None:
        """The reservation of a call that ended goes."""
        self.reservations.pop(call.id, None)
        self._ended.append((call.id,))

    def book(self, outcome: Outcome, anchor: int) -> None:
        """The row that a call of a customer with this anchor leaves."""
        row = outcome_row(outcome, self.booked, self.period_of(anchor)[0])
        self._outcomes.append(row)
        self._rollups.add(row)

    def earlier_outcome(self, reservation: str) -> Outcome | None:
        """What a reservation came to that is not open any more."""
        if reservation in self.settled:
            return self.settled[reservation]
        found = self.connection.rows(hot_sql.OUTCOME, (reservation,))
        self._tells_stored = self._tells_stored or bool(found)
        return outcome_from(found[0]) if found else None

    def write(self) -> None:
        """Send everything to the database, in the open transaction."""
        many = self.connection.many
        self.lending.top_up(self.now)
        self.counts.write()
        self.lending.write(self.now)
        many(hot_sql.ADD_RESERVATION, self._new_reservations)
        many(hot_sql.END_RESERVATION, self._ended)
        self.connection.add(hot_sql.ADD_OUTCOMES, self._outcomes)
        self.connection.add(hot_sql.ADD_UP, list(self._rollups.rows()))
        many(hot_sql.USED, [(key, self.now) for key in sorted(self._used)])
        for statement, values in self._answer_writes:
            self.connection.many(statement, [values])

    @property
    def must_be_durable(self) -> bool:
        """Whether anybody is told something that a power cut must not take back."""
        return bool(self._outcomes) or self._tells_stored

    def written(self) -> None:
        """The transaction was committed."""
        self.lending.written()
        for key in self._used:
            self.memory.note_use(key, self.now)
