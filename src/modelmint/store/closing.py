"""Closing a period: rate, number, finalise and post, in one transaction that nobody else writes in.

A customer's closings follow each other: each bills the rows booked since the last one ended. A row is booked
at a time that no closing has passed (see batch.py), so every row is billed by exactly one closing, wherever the
cuts are. Tiers and rounding go by the month in which the usage happened: earlier quantities of that month are
read back and rated as already billed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, select

from modelmint.commerce.billing.periods import by_month, draft_invoice
from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.documents.invoice_json import canonical, from_json
from modelmint.commerce.errors import EarlierPeriodOpen, UnknownInvoice
from modelmint.commerce.ledger.postings import postings
from modelmint.commerce.metering.types import MeterTotals
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Customer, Plan, Subscription
from modelmint.kit.ids import new_id
from modelmint.kit.period import Period, month_of
from modelmint.store import catalogue
from modelmint.store.journal import post
from modelmint.store.schema import closings, invoices, outcomes, parties

#: Invoices with whom they name; bodies of the first release hold the name themselves.
_named = invoices.outerjoin(parties, parties.c.invoice == invoices.c.id)


@dataclass(frozen=True, slots=True)
class Terms:
    """Whom and how an invoice addresses."""

    customer: Customer
    notice: str
    now: datetime


def close(connection: Connection, terms: Terms, period: Period, end: datetime) -> list[Invoice]:
    """Bill what is open up to ``end``; every invoice inside ``period``, old and new, by number."""
    window = _open_window(connection, terms, period, end)
    if window is not None:
        for invoice in _drafts(connection, terms, window):
            _finalise(connection, terms, invoice)
        connection.execute(
            closings.insert().values(
                customer=terms.customer.id,
                starts_at=micros(window.start),
                ends_at=micros(window.end),
                at=micros(terms.now),
            )
        )
    return all_invoices(connection, terms.customer.id, period)


def draft(connection: Connection, terms: Terms, period: Period, end: datetime) -> list[Invoice]:
    """What ``close`` would add; nothing is stored."""
    window = _open_window(connection, terms, period, end)
    return [] if window is None else _drafts(connection, terms, window)


def _open_window(connection: Connection, terms: Terms, period: Period, end: datetime) -> Period | None:
    """The part of ``period`` up to ``end`` that no closing covers; raises ``EarlierPeriodOpen``."""
    customer = terms.customer.id
    begin = _begin(connection, customer) or period.start
    if begin < period.start:
        earlier = _drafts(connection, terms, Period(begin, period.start))
        if earlier:
            months = sorted({f"{invoice.period.start:%Y-%m}" for invoice in earlier})
            raise EarlierPeriodOpen(
                f"periods are closed in order; {', '.join(months)} still holds something to bill. Close it first",
                details={"open": months},
            )
        begin = period.start
    return Period(begin, end) if begin < end else None


def _begin(connection: Connection, customer: str) -> datetime | None:
    """Where nothing was billed yet: after the last closing, else the month of the first plan or usage."""
    closed = connection.scalar(select(func.max(closings.c.ends_at)).where(closings.c.customer == customer))
    if closed is not None:
        return moment(closed)
    held = [subscription.starts_at for subscription in catalogue.subscriptions_of(connection, customer)]
    # Usage older than the first plan exists where the clock went back.
    first = connection.scalar(select(func.min(outcomes.c.at)).where(outcomes.c.customer == customer))
    known = held if first is None else [*held, moment(first)]
    return month_of(min(known)).start if known else None


def _drafts(connection: Connection, terms: Terms, window: Period) -> list[Invoice]:
    held = catalogue.subscriptions_of(connection, terms.customer.id)
    plans = {name: catalogue.plan(connection, *name) for name in {(s.plan, s.plan_version) for s in held}}
    found: list[Invoice] = []
    for part in by_month(window):
        totals = _totals(connection, terms.customer.id, part)
        for subscription in held:
            invoice = _draft(terms, subscription, plans, part, totals)
            if invoice is not None:
                found.append(invoice)
    return found


def _draft(
    terms: Terms,
    subscription: Subscription,
    plans: Mapping[tuple[str, str], Plan],
    part: Period,
    totals: Sequence[MeterTotals],
) -> Invoice | None:
    plan = plans[subscription.plan, subscription.plan_version]
    mine = [entry for entry in totals if entry.subscription == subscription.id]
    return draft_invoice(terms.customer, subscription, plan, part, mine, notice=terms.notice, now=terms.now)


def _totals(connection: Connection, customer: str, part: Period) -> list[MeterTotals]:
    """What was booked in ``part``, by subscription and month of happening, after what was billed before."""
    new = _sums(connection, customer, micros(part.start), micros(part.end))
    if not new:
        return []
    oldest = min(month for _, month in new)
    before = _sums(connection, customer, oldest, micros(part.start))
    return [
        MeterTotals(subscription, moment(month), before.get((subscription, month), {}), quantities)
        for (subscription, month), quantities in new.items()
    ]


def _sums(connection: Connection, customer: str, start: int, end: int) -> dict[tuple[str, int], dict[str, int]]:
    query = (
        select(outcomes.c.subscription, outcomes.c.month, func.sum(outcomes.c.calls), func.sum(outcomes.c["items"]))
        .where(
            outcomes.c.customer == customer,
            outcomes.c.at >= start,
            outcomes.c.at < end,
            outcomes.c.billable == 1,
        )
        .group_by(outcomes.c.subscription, outcomes.c.month)
        .order_by(outcomes.c.subscription, outcomes.c.month)
    )
    return {
        (subscription, month): {"calls": int(calls), "items": int(items)}
        for subscription, month, calls, items in connection.execute(query)
    }


def _finalise(connection: Connection, terms: Terms, drafted: Invoice) -> Invoice:
    number = (connection.scalar(select(func.max(invoices.c.number))) or 0) + 1
    invoice = replace(drafted, id=new_id("inv"), number=number)
    connection.execute(
        invoices.insert().values(
            number=number,
            id=invoice.id,
            customer=invoice.customer,
            starts_at=micros(invoice.period.start),
            ends_at=micros(invoice.period.end),
            body=canonical(invoice).decode(),
        )
    )
    named = terms.customer
    connection.execute(
        parties.insert().values(
            invoice=invoice.id,
            customer=named.id,
            name=named.name,
            email=named.email,
            address=named.address,
            tax_id=named.tax_id,
        )
    )
    post(connection, postings(invoice))
    return invoice


def all_invoices(connection: Connection, customer: str | None, period: Period | None = None) -> list[Invoice]:
    """By number."""
    query = select(invoices.c.body, parties.c.name).select_from(_named).order_by(invoices.c.number)
    if customer is not None:
        query = query.where(invoices.c.customer == customer)
    if period is not None:
        query = query.where(invoices.c.starts_at >= micros(period.start), invoices.c.ends_at <= micros(period.end))
    return [from_json(json.loads(body), name) for body, name in connection.execute(query)]


def invoice(connection: Connection, wanted: str) -> Invoice:
    """By id or number; raises ``UnknownInvoice``."""
    test = invoices.c.number == int(wanted) if wanted.isdecimal() and len(wanted) < 10 else invoices.c.id == wanted
    row = connection.execute(select(invoices.c.body, parties.c.name).select_from(_named).where(test)).first()
    if row is None:
        raise UnknownInvoice(f"no invoice has the id or number {wanted!r}; see 'modelmint invoices list'")
    return from_json(json.loads(row.body), row.name)
