"""One transaction of the hot path: read what a batch of calls needs, decide each in order, write it all.

This is the one place where a call is admitted and counted. The decisions are pure (commerce.admission); here
they are made on rows that this transaction holds, so limits are exact over any number of processes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from modelmint.commerce.admission import Account, Counters, authenticate
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Outcome, Plan
from modelmint.kit.clock import Clock
from modelmint.kit.period import billing_period
from modelmint.store import hot_sql
from modelmint.store.hot_rows import Reservation, Rollups, bucket_of, outcome_from, outcome_row
from modelmint.store.hot_sql import HotConnection
from modelmint.store.memory import Memory


class Batch:
    """The rows that a batch works on, and what it will write."""

    def __init__(self, connection: HotConnection, clock: Clock, memory: Memory, tally_owner: str) -> None:
        self.connection = connection
        self._memory = memory
        self._accounts: dict[str, Account] = {}
        self._offers: list[Plan] | None = None
        self.counters: dict[str, Counters] = {}
        self.reservations: dict[str, Reservation] = {}
        self.settled: dict[str, Outcome] = {}
        self._counted: set[str] = set()
        self._new_reservations: list[tuple[Any, ...]] = []
        self._ended: list[tuple[str]] = []
        self._outcomes: list[tuple[Any, ...]] = []
        self._anchors: dict[str, int] = {}
        self._months: dict[int, int] = {}
        self._used: set[str] = set()
        self.answers: dict[tuple[str, str], tuple[str, bytes | None, int] | None] = {}
        self._answer_writes: list[tuple[str, tuple[Any, ...]]] = []
        self._clocked = clock.now()
        self.now = micros(self._clocked)
        ((closed,),) = connection.rows(hot_sql.CLOSED_UNTIL)
        #: When this batch's outcomes are booked: never inside a closed period, whatever the clock says.
        self.booked = max(self.now, closed or 0)
        self.booked_at: datetime = moment(self.booked)
        self._rollups = Rollups(tally_owner, bucket_of(self.booked, closed or 0))

    def load(self, digests: Iterable[str], settling: Iterable[str]) -> None:
        """Read keys, reservations and the subscriptions of both, locking in one order everywhere."""
        connection = self.connection
        ids = sorted(set(settling))
        if ids:
            for row in connection.rows(hot_sql.RESERVATIONS, (connection.strings(ids),)):
                self.reservations[row[0]] = Reservation(*row)
        wanted = sorted(set(digests))
        keys = connection.rows(hot_sql.KEYS, (connection.strings(wanted),)) if wanted else []
        held = {reservation.subscription for reservation in self.reservations.values()}
        spans: dict[str, Any] = {}
        if keys or held:
            at = self._memory.newest(self.booked)
            parameters = (connection.strings({row[2] for row in keys}), at, at, connection.strings(held))
            for row in connection.rows(hot_sql.SUBSCRIPTIONS, parameters):
                self.counters[row[0]] = self._counters(row)
                self._anchors[row[0]] = row[14]
                if row[9] <= at and (row[10] is None or at < row[10]):
                    spans[row[1]] = row
        for row in keys:
            self._accounts[row[0]] = self._account(row, spans.get(row[2]))

    def _counters(self, span: Any) -> Counters:
        """What was used of the plan; a span that was planned ahead goes on where the plan's last span stopped."""
        if span[6] < 0:
            for row in self.connection.rows(hot_sql.COUNTERS_BEFORE, (span[1], span[2])):
                return Counters(*row)
        return Counters(*span[4:9])

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
            self._memory.plan(self.connection, span[2], span[3]),
            paused=span[11] == "paused",
            span_ends_at=span[10],
            prepaid_calls=span[12],
            prepaid_until=span[13],
            **more,
        )

    def month_of(self, anchor: int) -> int:
        """First moment of the billing period that holds now, for customers with this anchor."""
        month = self._months.get(anchor)
        if month is None:
            month = self._months[anchor] = micros(billing_period(self._clocked, anchor).start)
        return month

    def account(self, digest: str | None) -> Account:
        """Who calls; raises ``Unauthenticated``."""
        if digest is None:
            return authenticate(None, presented=False, now=self.now)
        account = authenticate(self._accounts.get(digest), presented=True, now=self.now)
        if self._memory.is_new_use(account.key, self.now):
            self._used.add(account.key)
        return account

    def offers(self) -> list[Plan]:
        """The plans on sale, read once where a refusal needs them."""
        if self._offers is None:
            rows = self.connection.rows(hot_sql.OFFERS, (self.now,))
            self._offers = [self._memory.plan(self.connection, name, version) for name, version in rows]
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

    def count(self, subscription: str, counters: Counters) -> None:
        """New counters of a subscription."""
        self.counters[subscription] = counters
        self._counted.add(subscription)

    def reserve(self, reservation: Reservation, owner: str, lease_until: int) -> None:
        """A call begins."""
        r = reservation
        self._new_reservations.append(
            (r.id, r.customer, r.key, r.subscription, r.model, r.calls, r.items, r.month, owner, lease_until,
             r.idempotency_key)
        )  # fmt: skip

    def end(self, reservation: Reservation, outcome: Outcome) -> None:
        """A call ended."""
        self.reservations.pop(reservation.id, None)
        self._ended.append((reservation.id,))
        self.settled[reservation.id] = outcome
        self.book(outcome, self._anchors[reservation.subscription])

    def book(self, outcome: Outcome, anchor: int) -> None:
        """The row that a call of a customer with this anchor leaves."""
        row = outcome_row(outcome, self.booked, self.month_of(anchor))
        self._outcomes.append(row)
        self._rollups.add(row)

    def earlier_outcome(self, reservation: str) -> Outcome | None:
        """What a reservation came to that is not open any more."""
        if reservation in self.settled:
            return self.settled[reservation]
        found = self.connection.rows(hot_sql.OUTCOME, (reservation,))
        return outcome_from(found[0]) if found else None

    def write(self) -> None:
        """Send everything to the database, in the open transaction."""
        many = self.connection.many
        counters = self.counters
        many(
            hot_sql.COUNT,
            [
                (c.lifetime_calls, c.since, c.month, c.month_calls, c.next_call, name)
                for name in sorted(self._counted)
                for c in (counters[name],)
            ],
        )
        many(hot_sql.ADD_RESERVATION, self._new_reservations)
        many(hot_sql.END_RESERVATION, self._ended)
        many(hot_sql.ADD_OUTCOME, self._outcomes)
        many(hot_sql.ADD_UP, list(self._rollups.rows()))
        many(hot_sql.TALLY, self._rollups.tallies())
        many(hot_sql.USED, [(key, self.now) for key in sorted(self._used)])
        for statement, values in self._answer_writes:
            self.connection.many(statement, [values])

    def written(self) -> None:
        """The transaction was committed."""
        for key in self._used:
            self._memory.note_use(key, self.now)
