"""How customers hold plans over time: change, preview, pause, resume, cancel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from modelmint.commerce.billing import contracts as rules
from modelmint.commerce.billing.contracts import Edits
from modelmint.commerce.billing.repository import When
from modelmint.commerce.billing.types import GrantBalance, Invoice, Preview, Scheduled
from modelmint.commerce.errors import MomentNotAhead, MomentTooFar, NothingHeld, OnlyAtPeriodEnd, TooManyChanges
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.people.actor import FOUNDER, actor
from modelmint.commerce.types import Customer, Plan, Subscription
from modelmint.kit.clock import Clock
from modelmint.kit.money import Money
from modelmint.kit.period import Period, billing_period
from modelmint.store import catalogue, drafting, grants, history, people, prepaid, spans
from modelmint.store.database import Database

_TICK = timedelta(microseconds=1)
#: Spans that anybody but the founder may begin for one customer from a billing period on; each makes drafts longer.
MOST_CHANGES = 200


class SqlContracts:
    """``commerce.billing.repository.Contracts`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def change(self, customer: str, plan: str, when: When = "now", *, own: bool = False) -> Subscription:
        with self._database.write() as connection:
            owner, now = people.living(connection, customer), self._clock.now()
            chosen = catalogue.plan(connection, plan, None, micros(now))
            at = _resolved(connection, owner, when, now)
            _allowed(own, connection, owner, chosen, at)
            _switch(connection, owner, chosen, at, now)
            return _found(rules.held_at(spans.of_customer(connection, owner.id), at), owner, at)

    def hold(self, customer: str, plan: Plan) -> Subscription:
        with self._database.write() as connection:
            owner, now = people.living(connection, customer), self._clock.now()
            catalogue.keep(connection, plan, micros(now))
            _switch(connection, owner, plan, now, now)
            return _found(rules.held_at(spans.of_customer(connection, owner.id), now), owner, now)

    def cancel(self, customer: str, when: When = "now", *, own: bool = False) -> Subscription:
        with self._database.write() as connection:
            owner, now = people.customer(connection, customer), self._clock.now()
            at = _resolved(connection, owner, when, now)
            held = _before(connection, owner, at)
            _allowed(own, connection, owner, None, at)
            _switch(connection, owner, None, at, now)
            return _same(connection, _found(held, owner, at))

    def pause(self, customer: str, when: When = "now", *, own: bool = False) -> Subscription:
        return self._turn(customer, when, rules.PAUSED, own=own)

    def resume(self, customer: str, when: When = "now") -> Subscription:
        return self._turn(customer, when, rules.ACTIVE)

    def _turn(self, customer: str, when: When, state: str, *, own: bool = False) -> Subscription:
        with self._database.write() as connection:
            owner, now = people.customer(connection, customer), self._clock.now()
            at = _resolved(connection, owner, when, now)
            _allowed(own, connection, owner, None, at)
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

    def preview(
        self, customer: str, plan: str | None, when: When = "now", notice: str = "", *, own: bool = False
    ) -> Preview:
        with self._database.snapshot() as connection:  # drafting takes its time: nobody waits for it
            owner, now = people.customer(connection, customer), self._clock.now()
            chosen = None if plan is None else catalogue.plan(connection, plan, None, micros(now))
            at = _resolved(connection, owner, when, now)
            if chosen is None:
                _found(_before(connection, owner, at), owner, at)
            known = spans.of_customer(connection, owner.id)
            edits = rules.switch(known, at, _wanted(owner, chosen, at), owner.anchor)
            terms = drafting.Terms(owner, notice, now)
            window, purse = _ahead(connection, terms, at)
            before = tuple(drafting.survey(connection, terms, window, None, purse).invoices())
            after = tuple(drafting.survey(connection, terms, window, edits, purse).invoices())
            refused = _too_soon(connection, owner, chosen, at) if own else ""
            return Preview(before, after, at, _difference(before, after), refused)


def _switch(connection: Connection, owner: Customer, plan: Plan | None, at: datetime, now: datetime) -> None:
    """Hold ``plan``, or nothing, from then on."""
    known = spans.of_customer(connection, owner.id)
    said = {"what": "cancelled" if plan is None else "changed", "at": at}
    said |= {} if plan is None else {"plan": plan.name, "version": plan.version}
    _edit(connection, owner, rules.switch(known, at, _wanted(owner, plan, at), owner.anchor), now, said)


def _wanted(owner: Customer, plan: Plan | None, at: datetime) -> Subscription | None:
    return None if plan is None else Subscription("", owner.id, plan.name, plan.version, at, None)


def _allowed(own: bool, connection: Connection, owner: Customer, wanted: Plan | None, at: datetime) -> None:
    refused = _too_soon(connection, owner, wanted, at) if own else ""
    if refused:
        raise OnlyAtPeriodEnd(refused)


def _too_soon(connection: Connection, owner: Customer, wanted: Plan | None, at: datetime) -> str:
    held = rules.held_at(spans.of_customer(connection, owner.id), at)
    present = None if held is None else catalogue.plan(connection, held.plan, held.plan_version)
    return rules.too_soon(held, present, wanted, at, owner.anchor)


def _edit(connection: Connection, owner: Customer, edits: Edits, now: datetime, said: Mapping[str, object]) -> None:
    """Store the edits, and say so, where there are any."""
    if not edits:
        return
    if edits.begins is not None and actor() != FOUNDER:
        begun = spans.begun_since(connection, owner.id, micros(billing_period(now, owner.anchor).start))
        if begun >= MOST_CHANGES:
            raise TooManyChanges(
                f"{MOST_CHANGES} changes of plan in one billing period, planned ones included, are the most that one "
                "may make; come back in the next, or ask the seller"
            )
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
        if earliest == moment(closed):
            earliest += _TICK * _took_for_granted(connection, owner, earliest)
    if when == "now":
        return earliest
    if when == "period_end":
        return billing_period(earliest, owner.anchor).end
    if isinstance(when, datetime) and when.tzinfo is not None and when >= earliest:
        if when > earliest + rules.HORIZON:
            last = earliest + rules.HORIZON
            raise MomentTooFar(f"expected a moment until {last:%Y-%m-%dT%H:%M:%SZ}, found {when.isoformat()}")
        return when
    raise MomentNotAhead(
        f"expected 'now', 'period_end' or a moment from {earliest:%Y-%m-%dT%H:%M:%SZ} on, with its time zone; "
        f"found {when!s:.80}"
    )


def _took_for_granted(connection: Connection, owner: Customer, closed: datetime) -> bool:
    """Whether the invoices of a closing that ended at ``closed`` tell what was held just then, or ended there.

    What ends, or goes on, exactly where a closing ended would have had to be on its invoices.
    """
    inside = billing_period(closed, owner.anchor).start != closed
    for span in spans.of_customer(connection, owner.id):
        if span.starts_at < closed and (span.ends_at is None or span.ends_at >= closed):
            plan = catalogue.plan(connection, span.plan, span.plan_version)
            if plan.yearly is not None or (plan.prorate_included and inside):
                return True
    return False


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


def _ahead(connection: Connection, terms: drafting.Terms, at: datetime) -> tuple[Period, list[GrantBalance]]:
    """From what is open of this billing period to the end of the one that holds ``at``, and the credit left for it.

    Earlier periods that are open still matter by the credit that they take, so they are drafted only where there is
    some, and once.
    """
    anchor = terms.customer.anchor
    this, until = billing_period(terms.now, anchor).start, billing_period(at, anchor).end
    begin = drafting.begin_of(connection, terms.customer)
    if begin is None or begin > at:
        begin = billing_period(at, anchor).start
    purse = grants.left_of(connection, terms.customer.id)
    if begin < this and purse:
        purse = drafting.survey(connection, terms, Period(begin, this)).purse
    return Period(max(begin, this), until), purse


def _difference(before: Sequence[Invoice], after: Sequence[Invoice]) -> Money | None:
    currencies = {invoice.currency for invoice in (*before, *after)}
    if len(currencies) != 1:
        return None
    (currency,) = currencies
    minor = sum(invoice.total.minor for invoice in after) - sum(invoice.total.minor for invoice in before)
    return Money(minor, currency)
