"""How customers hold plans over time: change, preview, pause, resume, cancel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from modelmint.commerce.billing import contracts as rules
from modelmint.commerce.billing.contracts import Edits
from modelmint.commerce.billing.repository import When
from modelmint.commerce.billing.types import Invoice, Preview, Scheduled
from modelmint.commerce.errors import MomentNotAhead, NothingHeld
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Customer, Plan, Subscription
from modelmint.kit.clock import Clock
from modelmint.kit.money import Money
from modelmint.kit.period import Period, billing_period
from modelmint.store import catalogue, drafting, history, people, prepaid, spans
from modelmint.store.database import Database

_TICK = timedelta(microseconds=1)


class SqlContracts:
    """``commerce.billing.repository.Contracts`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def change(self, customer: str, plan: str, when: When = "now") -> Subscription:
        with self._database.write() as connection:
            owner, now = people.living(connection, customer), self._clock.now()
            chosen = catalogue.plan(connection, plan, None, micros(now))
            at = _switch(connection, owner, chosen, when, now)
            return _found(rules.held_at(spans.of_customer(connection, owner.id), at), owner, at)

    def cancel(self, customer: str, when: When = "now") -> Subscription:
        with self._database.write() as connection:
            owner, now = people.customer(connection, customer), self._clock.now()
            held = _before(connection, owner, _resolved(connection, owner, when, now))
            at = _switch(connection, owner, None, when, now)
            return _same(connection, _found(held, owner, at))

    def pause(self, customer: str, when: When = "now") -> Subscription:
        return self._turn(customer, when, rules.PAUSED)

    def resume(self, customer: str, when: When = "now") -> Subscription:
        return self._turn(customer, when, rules.ACTIVE)

    def _turn(self, customer: str, when: When, state: str) -> Subscription:
        with self._database.write() as connection:
            owner, now = people.customer(connection, customer), self._clock.now()
            at = _resolved(connection, owner, when, now)
            known = spans.of_customer(connection, owner.id)
            held = _found(rules.held_at(known, at), owner, at)
            what = "paused" if state == rules.PAUSED else "resumed"
            _edit(connection, owner, rules.turn(known, at, state), now, {"what": what, "plan": held.plan, "at": at})
            return _found(rules.held_at(spans.of_customer(connection, owner.id), at), owner, at)

    def unschedule(self, customer: str) -> Subscription | None:
        with self._database.write() as connection:
            owner, now = people.customer(connection, customer), self._clock.now()
            known = spans.of_customer(connection, owner.id)
            held = rules.held_at(known, now)
            edits = rules.settled(known, now, owner.anchor)
            _edit(connection, owner, edits, now, {"what": "unscheduled", "plan": held and held.plan, "at": now})
            return None if held is None else _same(connection, held)

    def current(self, customer: str) -> Subscription | None:
        with self._database.read() as connection:
            owner = people.customer(connection, customer)
            return rules.held_at(spans.of_customer(connection, owner.id), self._clock.now())

    def scheduled(self, customer: str) -> list[Scheduled]:
        with self._database.read() as connection:
            owner = people.customer(connection, customer)
            return rules.scheduled(spans.of_customer(connection, owner.id), self._clock.now())

    def preview(self, customer: str, plan: str | None, when: When = "now", notice: str = "") -> Preview:
        with self._database.write() as connection:
            owner, now = people.customer(connection, customer), self._clock.now()
            chosen = None if plan is None else catalogue.plan(connection, plan, None, micros(now))
            at = _resolved(connection, owner, when, now)
            if chosen is None:
                _found(_before(connection, owner, at), owner, at)
            terms = drafting.Terms(owner, notice, now)
            until = billing_period(at, owner.anchor).end
            before = _drafts(connection, terms, until)
            # Made, drafted and taken back: the preview is what would happen, not a second opinion of it.
            with connection.begin_nested() as attempt:
                _switch(connection, owner, chosen, when, now)
                after = _drafts(connection, terms, until)
                attempt.rollback()
            return Preview(before, after, at, _difference(before, after))


def _switch(connection: Connection, owner: Customer, plan: Plan | None, when: When, now: datetime) -> datetime:
    """Hold ``plan``, or nothing, from then on; the moment."""
    at = _resolved(connection, owner, when, now)
    known = spans.of_customer(connection, owner.id)
    wanted = None if plan is None else Subscription("", owner.id, plan.name, plan.version, at, None)
    said = {"what": "cancelled" if plan is None else "changed", "at": at}
    said |= {} if plan is None else {"plan": plan.name, "version": plan.version}
    _edit(connection, owner, rules.switch(known, at, wanted, owner.anchor), now, said)
    return at


def _edit(connection: Connection, owner: Customer, edits: Edits, now: datetime, said: Mapping[str, object]) -> None:
    """Store the edits, and say so, where there are any."""
    if not edits:
        return
    spans.apply(connection, owner.id, edits, owner.anchor, micros(now))
    prepaid.refresh_all(connection, owner, micros(now))
    history.note(connection, "subscription.changed", owner.id, micros(now), said)
    history.tell(connection, "subscription.changed", owner.id, {"customer": owner.id, **said}, micros(now))


def _resolved(connection: Connection, owner: Customer, when: When, now: datetime) -> datetime:
    """The moment; never inside a closed period, whatever the clock says."""
    earliest = now
    closed = drafting.last_end(connection, owner.id)
    if closed is not None:
        earliest = max(earliest, moment(closed))
        held = rules.held_at(spans.of_customer(connection, owner.id), earliest)
        if held is not None and held.starts_at < earliest == moment(closed):
            # What ends exactly where a closing ended would have had to be on its invoice.
            earliest += _TICK * bool(catalogue.plan(connection, held.plan, held.plan_version).yearly)
    if when == "now":
        return earliest
    if when == "period_end":
        return billing_period(earliest, owner.anchor).end
    if isinstance(when, datetime) and when.tzinfo is not None and when >= earliest:
        return when
    raise MomentNotAhead(
        f"expected 'now', 'period_end' or a moment from {earliest:%Y-%m-%dT%H:%M:%SZ} on, with its time zone; "
        f"found {when!s:.80}"
    )


def _before(connection: Connection, owner: Customer, at: datetime) -> Subscription | None:
    """What a cancellation at ``at`` would end: what is held then, or what ends there as planned."""
    known = spans.of_customer(connection, owner.id)
    return rules.held_at(known, at) or rules.held_at(known, at - _TICK)


def _found(held: Subscription | None, owner: Customer, at: datetime) -> Subscription:
    if held is None:
        raise NothingHeld(f"{owner.id} holds no plan at {at:%Y-%m-%dT%H:%M:%SZ}; see 'modelmint plans subscribe'")
    return held


def _same(connection: Connection, span: Subscription) -> Subscription:
    """The span as it stands now; where it was given up before it began, as it was."""
    known = spans.of_customer(connection, span.customer)
    return next((found for found in known if found.id == span.id), span)


def _drafts(connection: Connection, terms: drafting.Terms, until: datetime) -> tuple[Invoice, ...]:
    """What is not billed yet of this billing period, and on to ``until``."""
    begin = drafting.begin_of(connection, terms.customer)
    this = billing_period(terms.now, terms.customer.anchor).start
    if begin is None or begin >= until:
        return ()
    found = drafting.survey(connection, terms, Period(begin, until)).invoices()
    return tuple(invoice for invoice in found if invoice.period.start >= this)


def _difference(before: Sequence[Invoice], after: Sequence[Invoice]) -> Money | None:
    currencies = {invoice.currency for invoice in (*before, *after)}
    if len(currencies) != 1:
        return None
    (currency,) = currencies
    minor = sum(invoice.total.minor for invoice in after) - sum(invoice.total.minor for invoice in before)
    return Money(minor, currency)
