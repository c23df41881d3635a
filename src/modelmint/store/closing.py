"""Closing a period: gather, build, number, freeze and post, in one transaction that nobody else writes in.

A customer's closings follow each other: each bills what was booked since the last one ended. A row is booked at a
time that no closing has passed (see batch.py), so every row is billed by exactly one closing, wherever the cuts are.
Tiers, caps and rounding go by the billing period in which the usage happened: earlier quantities of that period are
read back and rated as already billed. Only roll-ups are read, so a closing takes as long as its customer has days,
not calls.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, func, select

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.ledger.types import MachineCost
from modelmint.commerce.moments import micros
from modelmint.kit.period import Period, billing_period
from modelmint.store import invoices, prepaid
from modelmint.store.drafting import Looked, Terms, begin_of, open_window, survey
from modelmint.store.schema import closings, customers, subscriptions


def close(connection: Connection, terms: Terms, period: Period, end: datetime) -> list[Invoice]:
    """Bill what is open up to ``end``; every invoice inside ``period``, old and new, by number."""
    window = open_window(connection, terms, period, end)
    if window is not None:
        bill(connection, terms, window)
    return invoices.every(connection, terms.customer.id, period)


def close_ended(connection: Connection, terms: Terms) -> list[Invoice]:
    """Bill every billing period that has ended and is open; the new invoices."""
    begin = begin_of(connection, terms.customer)
    end = billing_period(terms.now, terms.customer.anchor).start
    return bill(connection, terms, Period(begin, end)) if begin is not None and begin < end else []


def maybe_due(connection: Connection, now: datetime) -> list[str]:
    """Customers who held something and may have an ended period open: found for all at once, and roughly."""
    known = {owner: int(first) for owner, first in connection.execute(_BEGUN)}
    closed = {owner: int(last) for owner, last in connection.execute(_CLOSED)}
    found = []
    for owner, anchor in connection.execute(_ANCHORS):
        reached = closed.get(owner, known.get(owner))
        if reached is not None and reached < micros(billing_period(now, anchor).start):
            found.append(owner)
    return found


_BEGUN = select(subscriptions.c.customer, func.min(subscriptions.c.starts_at)).group_by(subscriptions.c.customer)
_CLOSED = select(closings.c.customer, func.max(closings.c.ends_at)).group_by(closings.c.customer)
_ANCHORS = select(customers.c.id, customers.c.anchor).order_by(customers.c.seq)


def bill(connection: Connection, terms: Terms, window: Period) -> list[Invoice]:
    """Close ``window``, which begins where nothing was billed yet."""
    looked = survey(connection, terms, window).looked
    found = [_finalise(connection, terms, each, each.invoice) for each in looked if each.invoice is not None]
    row = {
        "customer": terms.customer.id,
        "starts_at": micros(window.start),
        "ends_at": micros(window.end),
        "at": micros(terms.now),
    }
    connection.execute(closings.insert(), row)
    if any(each.holding.plan.prepaid for each in looked):
        prepaid.refresh_all(connection, terms.customer, micros(terms.now))
    return found


def _finalise(connection: Connection, terms: Terms, looked: Looked, drafted: Invoice) -> Invoice:
    identity, number = invoices.new_invoice_id(), invoices.next_number(connection)
    inputs = replace(looked.inputs, id=identity, number=number)
    costs = tuple(
        MachineCost(release, calls, terms.unit_costs[release])
        for release, calls in sorted(looked.calls.items())
        if release in terms.unit_costs
    )
    invoice = replace(drafted, id=identity, number=number)
    return invoices.finalise(connection, invoice, terms.customer, inputs, costs)
