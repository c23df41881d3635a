"""One transaction of the hot path: read what a batch of calls needs, decide each in order, write it all.

This is the one place where a call is admitted and counted. The decisions are pure (commerce.admission); here
they are made on rows that this transaction holds, so limits are exact over any number of processes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from modelmint.commerce.admission import Account, Counters, authenticate
from modelmint.commerce.documents.plan_json import from_json
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Outcome, Plan
from modelmint.kit.clock import Clock
from modelmint.kit.period import month_of
from modelmint.store import hot_sql
from modelmint.store.hot_sql import HotConnection


@dataclass(frozen=True, slots=True)
class Reservation:
    """A row of ``reservations``."""

    id: str
    customer: str
    key: str
    subscription: str
    model: str
    calls: int
    items: int
    month: int
    idempotency_key: str | None


class PlanCache:
    """Plan versions never change, so a process reads each once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Plan] = {}

    def get(self, connection: HotConnection, name: str, version: str) -> Plan:
        plan = self._known.get((name, version))
        if plan is None:
            ((body,),) = connection.rows(hot_sql.PLAN, (name, version))
            plan = self._known[name, version] = from_json(json.loads(body))
        return plan

    def offers(self, connection: HotConnection) -> list[Plan]:
        """The plans on sale."""
        return [self.get(connection, name, version) for name, version in connection.rows(hot_sql.OFFERS)]


class Batch:
    """The rows that a batch works on, and what it will write."""

    def __init__(self, connection: HotConnection, clock: Clock, plans: PlanCache, tally_owner: str) -> None:
        self.connection = connection
        self._plans = plans
        self._tally_owner = tally_owner
        self._accounts: dict[str, Account] = {}
        self._offers: list[Plan] | None = None
        self.counters: dict[str, Counters] = {}
        self.reservations: dict[str, Reservation] = {}
        self.settled: dict[str, Outcome] = {}
        self._counted: set[str] = set()
        self._new_reservations: list[tuple[Any, ...]] = []
        self._ended: list[tuple[str]] = []
        self._outcomes: list[tuple[Any, ...]] = []
        self._tallies: Counter[tuple[str, int, str]] = Counter()
        self.answers: dict[tuple[str, str], tuple[str, bytes | None, int] | None] = {}
        self._answer_writes: list[tuple[str, tuple[Any, ...]]] = []
        moment_now = clock.now()
        self.now = micros(moment_now)
        self.month = micros(month_of(moment_now).start)
        ((closed,),) = connection.rows(hot_sql.CLOSED_UNTIL)
        #: When this batch's outcomes are booked: never inside a closed period, whatever the clock says.
        self.booked = max(self.now, closed or 0)
        self.booked_at: datetime = moment(self.booked)

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
        held_by: dict[str, tuple[str, Plan]] = {}
        if keys or held:
            parameters = (connection.strings({row[2] for row in keys}), connection.strings(held))
            for row in connection.rows(hot_sql.SUBSCRIPTIONS, parameters):
                self.counters[row[0]] = Counters(*row[4:9])
                if row[9] is None:
                    held_by[row[1]] = (row[0], self._plans.get(connection, row[2], row[3]))
        for digest, key, customer, revoked in keys:
            subscription, plan = held_by.get(customer, (None, None))
            self._accounts[digest] = Account(customer, key, revoked is not None, subscription, plan)

    def account(self, digest: str | None) -> Account:
        """Who calls; raises ``Unauthenticated``."""
        if digest is None:
            return authenticate(None, presented=False)
        return authenticate(self._accounts.get(digest), presented=True)

    def offers(self) -> list[Plan]:
        """The plans on sale, read once where a refusal needs them."""
        if self._offers is None:
            self._offers = self._plans.offers(self.connection)
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
        self.book(outcome)

    def book(self, outcome: Outcome) -> None:
        """The row that a call leaves."""
        o = outcome
        self._outcomes.append(
            (o.id, o.customer, o.key, o.subscription, o.model, self.booked, self.month, o.status, o.code,
             int(o.billable), o.calls, o.items, int(o.compute_ms * 1000), o.release, o.variant, o.prediction)
        )  # fmt: skip
        self._tallies[o.model, o.status, o.code] += 1

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
        many(hot_sql.TALLY, [(self._tally_owner, *name, n) for name, n in self._tallies.items()])
        for statement, values in self._answer_writes:
            self.connection.many(statement, [values])


def outcome_from(row: Any) -> Outcome:
    """An outcome from the columns of ``hot_sql.OUTCOME``."""
    return Outcome(
        id=row[0],
        customer=row[1],
        key=row[2],
        subscription=row[3],
        model=row[4],
        at=moment(row[5]),
        status=row[6],
        code=row[7],
        billable=bool(row[8]),
        calls=row[9],
        items=row[10],
        compute_ms=Decimal(row[11]) / 1000,
        release=row[12],
        variant=row[13],
        prediction=row[14],
    )
