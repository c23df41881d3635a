"""Attempts to collect, and what providers told.

Every change of an attempt goes through ``_outcome``, whether an answer, a webhook or both bring it: it moves from
pending to succeeded or failed, from failed to succeeded, and never back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select, update

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.payments import dunning, postings
from modelmint.commerce.payments.errors import NothingDue, PaymentUnderWay
from modelmint.commerce.payments.types import Answer, Attempt, PaymentEvent
from modelmint.kit.canonical import canonical_json
from modelmint.kit.clock import Clock
from modelmint.kit.ids import new_id
from modelmint.kit.money import Money
from modelmint.store import channels, invoices
from modelmint.store.database import Database
from modelmint.store.history import note, tell
from modelmint.store.journal import post
from modelmint.store.owed import CLOSED, is_closed, owed
from modelmint.store.schema import invoice_events, payment_attempts, payment_customers, payment_events
from modelmint.store.schema import invoices as invoice_rows
from modelmint.store.usage_reports import SqlUsageReports

LONGEST_REASON = 200


class SqlPayments:
    """``commerce.payments.repository.PaymentBooks`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self.reports = SqlUsageReports(database, clock)

    def reference(self, provider: str, customer: str) -> str | None:
        query = select(payment_customers.c.reference).where(
            payment_customers.c.provider == provider, payment_customers.c.customer == customer
        )
        with self._database.read() as connection:
            return connection.scalar(query)

    def keep_reference(self, provider: str, customer: str, reference: str) -> None:
        own = and_(payment_customers.c.provider == provider, payment_customers.c.customer == customer)
        with self._database.write() as connection:
            if not connection.execute(update(payment_customers).where(own).values(reference=reference)).rowcount:
                row = {"provider": provider, "customer": customer, "reference": reference}
                connection.execute(payment_customers.insert().values(row))
            note(connection, "payment.enrolled", customer, self._now(), {"provider": provider})

    def collectable(self) -> list[str]:
        now = self._now()
        events, tried = invoice_events.c, payment_attempts.c
        closed = exists().where(events.invoice == invoice_rows.c.id, events.status.in_((*CLOSED, "uncollectible")))
        # A wait after a refusal, or an attempt under way; what has none of either was refused for the last time.
        waits = exists().where(tried.invoice == invoice_rows.c.id, tried.next_at > now)
        query = select(invoice_rows.c.id).where(
            invoice_rows.c.kind == "invoice", ~closed, ~waits, ~channels.billed_by_partner(invoice_rows.c.customer)
        )
        with self._database.read() as connection:
            return list(connection.scalars(query.order_by(invoice_rows.c.number)))

    def begin(self, invoice: str, provider: str, *, kind: str = "collect", early: bool = False) -> Attempt:
        now = self._now()
        with self._database.write() as connection:
            found = invoices.one(connection, invoice)
            amount = owed(connection, found)
            if amount.minor <= 0:  # also where an attempt is open: what was made void meanwhile is not asked for again
                raise NothingDue(f"nothing is due on invoice {found.number}: it is paid, void or covered by credit")
            open_one = _under_way(connection, found.id, provider, kind, now, early=early)
            if open_one is not None:
                return open_one
            wait = dunning.ANSWER_TIME if kind == "collect" else dunning.CHECKOUT_TIME
            row = {
                "id": new_id("att"),
                "invoice": found.id,
                "provider": provider,
                "reference": "",
                "minor": amount.minor,
                "currency": amount.currency,
                "kind": kind,
                "state": "pending",
                "reason": "",
                "at": now,
                "next_at": now + _micros_of(wait),
                "refunded": 0,
            }
            connection.execute(payment_attempts.insert().values(row))
            note(connection, "payment.begun", found.id, now, {"attempt": row["id"], "kind": kind})
            return _attempt(row)

    def finish(self, attempt: str, answer: Answer) -> Attempt:
        now = self._now()
        with self._database.write() as connection:
            row = _by(connection, payment_attempts.c.id == attempt)
            _outcome(connection, _attempt(row), answer, now)
            return _attempt(_by(connection, payment_attempts.c.id == attempt))

    def apply(self, event: PaymentEvent) -> bool:
        now = self._now()
        known = and_(payment_events.c.provider == event.provider, payment_events.c.id == event.id)
        with self._database.write() as connection:
            if connection.scalar(select(func.count()).where(known)):
                return False
            connection.execute(
                payment_events.insert().values(
                    provider=event.provider,
                    id=event.id,
                    kind=event.kind,
                    reference=event.reference,
                    at=micros(event.at),
                    received_at=now,
                    body=canonical_json(event.body).decode(),
                )
            )
            attempt = _told_of(connection, event)
            if attempt is not None:
                _apply(connection, attempt, event, now)
            return True

    def attempts(self, invoice: str | None = None, *, limit: int = 100, since: datetime | None = None) -> list[Attempt]:
        query = select(payment_attempts).order_by(payment_attempts.c.seq.desc()).limit(limit)
        with self._database.read() as connection:
            if invoice is not None:
                query = query.where(payment_attempts.c.invoice == invoices.one(connection, invoice).id)
            if since is not None:
                query = query.where(payment_attempts.c.at >= micros(since))
            return [_attempt(row) for row in connection.execute(query).mappings()]

    def _now(self) -> int:
        return micros(self._clock.now())


def _under_way(
    connection: Connection, invoice: str, provider: str, kind: str, now: int, *, early: bool
) -> Attempt | None:
    """The attempt to go on with, None for a new one; raises ``PaymentUnderWay`` where there is nothing to do."""
    query = select(payment_attempts).where(payment_attempts.c.invoice == invoice)
    rows = connection.execute(query.order_by(payment_attempts.c.seq)).mappings().all()
    for row in rows:
        if row["state"] != "pending":
            continue
        ours, over = row["kind"] == kind and row["provider"] == provider, row["next_at"] <= now
        if ours and kind == "collect" and over:  # its process died, or the provider takes long: ask again, same key
            own = update(payment_attempts).where(payment_attempts.c.id == row["id"])
            connection.execute(own.values(next_at=now + _micros_of(dunning.ANSWER_TIME)))
            return _attempt(row)
        if ours and kind == "checkout" and not over:
            return _attempt(row)
        if row["kind"] == "collect" or not over:  # a page to pay on closes by itself, what we asked for does not
            raise PaymentUnderWay(f"a payment of this invoice is under way ({row['id']}); wait for its outcome")
    waits = [row["next_at"] for row in rows if row["state"] == "failed" and (row["next_at"] or 0) > now]
    if waits and kind == "collect" and not early:
        raise PaymentUnderWay(f"it was refused; it is asked for again at {moment(max(waits)):%Y-%m-%d %H:%M} UTC")
    return None


def _outcome(connection: Connection, attempt: Attempt, answer: Answer, now: int) -> None:
    if answer.reference and answer.reference != attempt.reference:
        _change(connection, attempt, reference=answer.reference)
    if attempt.state == "succeeded" or (attempt.state == "failed" and answer.state != "succeeded"):
        return
    invoice = invoices.one(connection, attempt.invoice)
    if answer.state == "succeeded":
        _succeed(connection, attempt, invoice, answer.fee, now)
    elif answer.state == "failed":
        _fail(connection, attempt, invoice, answer, now)
    elif attempt.kind == "collect":
        _change(connection, attempt, next_at=now + _micros_of(dunning.LOOK_AGAIN))


def _succeed(connection: Connection, attempt: Attempt, invoice: Invoice, fee: Money | None, now: int) -> None:
    before, closed = owed(connection, invoice), is_closed(connection, invoice.id)
    values = {"state": "succeeded", "reason": "", "next_at": None}
    _change(connection, attempt, minor=attempt.amount.minor, **values)
    post(connection, postings.payment(attempt, invoice.customer, attempt.amount, fee, moment(now)))
    told = {"attempt": attempt.id, "amount": attempt.amount, "provider": attempt.provider}
    # Paid twice, or void meanwhile: the customer has it to his credit, and somebody must look.
    excess = {"excess": True} if closed or attempt.amount.minor > before.minor else {}
    note(connection, "payment.succeeded", attempt.invoice, now, {**told, **excess})
    tell(connection, "payment.succeeded", invoice.customer, {**invoices.told(invoice), **told, **excess}, now)
    if not closed and attempt.amount.minor >= before.minor:
        invoices.mark(connection, invoice, "paid", now, {"by": attempt.provider, "reference": attempt.id})


def _fail(connection: Connection, attempt: Attempt, invoice: Invoice, answer: Answer, now: int) -> None:
    tried = payment_attempts.c
    refused = select(func.count()).where(
        tried.invoice == attempt.invoice, tried.state == "failed", tried.kind == "collect"
    )
    failures = int(connection.scalar(refused) or 0) + 1
    wait = None if answer.final or attempt.kind != "collect" else dunning.wait_after(failures)
    next_at = None if wait is None else now + _micros_of(wait)
    reason = answer.reason[:LONGEST_REASON]
    _change(connection, attempt, state="failed", reason=reason, next_at=next_at)
    if is_closed(connection, invoice.id):
        return
    again = None if next_at is None else moment(next_at)
    told = {"attempt": attempt.id, "reason": reason, "again_at": again, "provider": attempt.provider}
    invoices.mark(connection, invoice, "payment_failed", now, told)
    tell(connection, "payment.failed", invoice.customer, {**invoices.told(invoice), **told}, now)
    if wait is None and attempt.kind == "collect":
        invoices.mark(connection, invoice, "uncollectible", now, {"by": attempt.provider, "refusals": failures})


def _apply(connection: Connection, attempt: Attempt, event: PaymentEvent, now: int) -> None:
    if event.amount is not None and event.amount.currency != attempt.amount.currency:
        found = {"attempt": attempt.id, "event": event.id, "expected": attempt.amount, "found": event.amount}
        note(connection, "payment.mismatch", attempt.invoice, now, found)
        return
    if event.kind == "payment.refunded" and event.amount is not None:
        _refund(connection, attempt, event.amount, now)
    elif event.kind in ("payment.succeeded", "payment.failed"):
        state = event.kind.removeprefix("payment.")
        if state == "succeeded" and event.amount is not None and attempt.state != "succeeded":
            attempt = replace(attempt, amount=event.amount)  # what came counts, not what was asked for
        _outcome(connection, attempt, Answer(state, event.payment, event.reason, event.fee), now)


def _refund(connection: Connection, attempt: Attempt, total: Money, now: int) -> None:
    """``total`` is all that went back so far; a smaller one is an older event that comes late."""
    before = attempt.refunded or Money(0, total.currency)
    if total.minor <= before.minor:
        return
    _change(connection, attempt, refunded=total.minor)
    customer = invoices.one(connection, attempt.invoice).customer
    post(connection, postings.refund(attempt, customer, before, total, moment(now)))
    note(connection, "payment.refunded", attempt.invoice, now, {"attempt": attempt.id, "so_far": total})


def _told_of(connection: Connection, event: PaymentEvent) -> Attempt | None:
    """The attempt that an event is about: by its id, else by the provider's name of it; the newest."""
    if not event.reference:
        return None
    tried = payment_attempts.c
    own = and_(tried.provider == event.provider, or_(tried.id == event.reference, tried.reference == event.reference))
    query = select(payment_attempts).where(own).order_by(tried.seq.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _attempt(row)


def _by(connection: Connection, condition: Any) -> Any:
    return connection.execute(select(payment_attempts).where(condition)).mappings().one()


def _change(connection: Connection, attempt: Attempt, **values: Any) -> None:
    connection.execute(update(payment_attempts).where(payment_attempts.c.id == attempt.id).values(values))


def _micros_of(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _attempt(row: Any) -> Attempt:
    later = row["next_at"]
    return Attempt(
        id=row["id"],
        invoice=row["invoice"],
        provider=row["provider"],
        reference=row["reference"],
        amount=Money(row["minor"], row["currency"]),
        state=row["state"],
        reason=row["reason"],
        at=moment(row["at"]),
        next_at=None if later is None else moment(later),
        kind=row["kind"],
        refunded=Money(row["refunded"], row["currency"]),
    )
