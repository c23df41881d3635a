"""Usage events in, usage tables out."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from modelmint.commerce.metering.placing import Span, Standing
from modelmint.commerce.metering.types import LogPage, Recorded, UsageEvent, UsageRow
from modelmint.commerce.moments import micros
from modelmint.commerce.types import Plan
from modelmint.kit.clock import Clock
from modelmint.kit.period import Period
from modelmint.store import catalogue, event_log, people, prepaid, usage_tables
from modelmint.store.database import Database
from modelmint.store.event_reach import check_reach
from modelmint.store.event_rows import Batch, Sender
from modelmint.store.event_write import EventWriter
from modelmint.store.history import note
from modelmint.store.schema import closings, customers, subscriptions


class SqlMeters:
    """``commerce.metering.repository.Meters`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._plans: dict[tuple[str, str], Plan] = {}

    def record(self, customer: str, key: str, events: Sequence[UsageEvent]) -> Recorded:
        with self._database.read() as connection:
            owner = people.customer(connection, customer).id
            standing = self._standing(connection, owner)
        if not events:
            return Recorded(0, 0, 0)
        sender = Sender(owner, key, micros(self._clock.now()))
        # Everything that takes time is done before anybody is kept waiting.
        batch, again = Batch(sender, events, standing, {}), False
        while True:
            alone = batch.spends_credit  # calls lent on that credit are recalled, which meets no call half way
            with self._database.write() if alone else self._database.beside_calls(owner) as connection:
                writer, found = EventWriter(connection, self._database.kind), self._standing(connection, owner)
                if again or found != standing:  # a closing or a change of plan came between, or some events are known
                    batch, standing = Batch(sender, events, found, writer.known(batch)), found
                if batch.spends_credit <= alone and writer.add(batch):
                    self._add_up(connection, writer, batch, sender)
                    return batch.recorded
                # Without a savepoint, which costs as much again as the rows: undone as a whole, done anew.
                connection.rollback()
            again = True

    def _add_up(self, connection: Connection, writer: EventWriter, batch: Batch, sender: Sender) -> None:
        writer.add_up(batch, sender)
        check_reach(connection, batch, lambda subscription: self._plan(connection, batch.plans[subscription]))
        if batch.spends_credit:
            prepaid.refresh_all(connection, people.customer(connection, sender.customer), sender.now)
        if not sender.key and batch.rows:
            data = {"accepted": len(batch.rows), "duplicates": batch.duplicates, "late": batch.late}
            note(connection, "events.recorded", sender.customer, sender.now, data)

    def _standing(self, connection: Connection, customer: str) -> Standing:
        found = connection.execute(
            select(subscriptions)
            .where(subscriptions.c.customer == customer, subscriptions.c.state != "paused")
            .order_by(subscriptions.c.seq)
        ).mappings()
        spans = []
        for row in found:
            name = (row["plan"], row["plan_version"])
            plan = self._plan(connection, name)
            charged = frozenset(charge.meter for charge in plan.charges)
            spans.append(Span(row["id"], row["starts_at"], row["ends_at"], plan.currency, charged, plan.prepaid, name))
        closed = connection.scalar(select(func.max(closings.c.ends_at)).where(closings.c.customer == customer))
        anchor = connection.scalar(select(customers.c.anchor).where(customers.c.id == customer))
        return Standing(tuple(spans), anchor or 1, closed or 0)

    def _plan(self, connection: Connection, name: tuple[str, str]) -> Plan:
        """A plan version, which never changes."""
        if name not in self._plans:
            self._plans[name] = catalogue.plan(connection, *name)
        return self._plans[name]

    def table(self, customer: str | None, period: Period, by: Sequence[str] = ()) -> list[UsageRow]:
        with self._database.read() as connection:
            owner = None if customer is None else people.customer(connection, customer).id
            return usage_tables.table(connection, owner, period, by)

    def log(self, customer: str, period: Period, after: str = "", limit: int = 1000) -> LogPage:
        with self._database.read() as connection:
            owner = people.customer(connection, customer).id
            return event_log.page(connection, owner, period, after, limit)
