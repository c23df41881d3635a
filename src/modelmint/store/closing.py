"""Closing a period: gather, build, number, freeze and post, in one transaction that nobody else writes in.

A customer's closings follow each other: each bills what was booked since the last one ended. A row is booked at a
time that no closing has passed (see batch.py), so every row is billed by exactly one closing, wherever the cuts are.
Tiers, caps and rounding go by the billing period in which the usage happened: earlier quantities of that period are
read back and rated as already billed. Only roll-ups are read, so a closing takes as long as its customer has days,
not calls.

``draft`` reads whatever subscriptions stand in the connection's transaction: a change can be previewed by making it,
drafting, and rolling back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, func, select

from modelmint.commerce.billing.draft import build
from modelmint.commerce.billing.periods import parts
from modelmint.commerce.billing.types import BillingInputs, GrantBalance, Invoice
from modelmint.commerce.errors import EarlierPeriodOpen
from modelmint.commerce.ledger.types import MachineCost
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Customer
from modelmint.kit.money import Money, UnitPrice
from modelmint.kit.period import Period, billing_period
from modelmint.store import gather, grants, invoices
from modelmint.store.gather import Holding, Usage
from modelmint.store.schema import call_rollups, closings, event_rollups


@dataclass(frozen=True, slots=True)
class Terms:
    """Whom and how an invoice addresses, and what a call of each release costs here."""

    customer: Customer
    notice: str
    now: datetime
    unit_costs: Mapping[str, UnitPrice] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drafted:
    """An invoice that would be, with what it was built from."""

    invoice: Invoice
    inputs: BillingInputs
    holding: Holding
    #: Release -> calls.
    calls: Mapping[str, int]


def close(connection: Connection, terms: Terms, period: Period, end: datetime) -> list[Invoice]:
    """Bill what is open up to ``end``; every invoice inside ``period``, old and new, by number."""
    window = _open_window(connection, terms, period, end)
    if window is not None:
        bill(connection, terms, window)
    return invoices.every(connection, terms.customer.id, period)


def close_ended(connection: Connection, terms: Terms) -> list[Invoice]:
    """Bill every billing period that has ended and is open; the new invoices."""
    begin = begin_of(connection, terms.customer)
    end = billing_period(terms.now, terms.customer.anchor).start
    return bill(connection, terms, Period(begin, end)) if begin is not None and begin < end else []


def bill(connection: Connection, terms: Terms, window: Period) -> list[Invoice]:
    """Close ``window``, which begins where nothing was billed yet."""
    found = [_finalise(connection, terms, drafted) for drafted in drafts(connection, terms, window)]
    connection.execute(
        closings.insert().values(
            customer=terms.customer.id,
            starts_at=micros(window.start),
            ends_at=micros(window.end),
            at=micros(terms.now),
        )
    )
    return found


def draft(connection: Connection, terms: Terms, period: Period, end: datetime) -> list[Invoice]:
    """What ``close`` would add; nothing is stored."""
    window = _open_window(connection, terms, period, end)
    if window is None:
        return []
    return [
        replace(drafted.invoice, customer_name=terms.customer.name) for drafted in drafts(connection, terms, window)
    ]


def _open_window(connection: Connection, terms: Terms, period: Period, end: datetime) -> Period | None:
    """The part of ``period`` up to ``end`` that no closing covers; raises ``EarlierPeriodOpen``."""
    begin = begin_of(connection, terms.customer) or period.start
    if begin < period.start:
        earlier = drafts(connection, terms, Period(begin, period.start))
        if earlier:
            months = sorted({f"{drafted.invoice.period.start:%Y-%m}" for drafted in earlier})
            raise EarlierPeriodOpen(
                f"periods are closed in order; {', '.join(months)} still holds something to bill. Close it first",
                details={"open": months},
            )
        begin = period.start
    return Period(begin, end) if begin < end else None


def last_end(connection: Connection, customer: str) -> int | None:
    """Up to where the customer was billed."""
    found = connection.scalar(select(func.max(closings.c.ends_at)).where(closings.c.customer == customer))
    return None if found is None else int(found)


def begin_of(connection: Connection, customer: Customer) -> datetime | None:
    """Where nothing was billed yet: after the last closing, else the billing period of the first plan or usage."""
    closed = last_end(connection, customer.id)
    if closed is not None:
        return moment(closed)
    known = [holding.since for holding in gather.holdings(connection, customer.id)]
    # Usage older than the first plan exists where the clock went back.
    for table in (call_rollups, event_rollups):
        first = connection.scalar(select(func.min(table.c.bucket)).where(table.c.customer == customer.id))
        known += [] if first is None else [moment(first)]
    return billing_period(min(known), customer.anchor).start if known else None


def drafts(connection: Connection, terms: Terms, window: Period) -> list[Drafted]:
    """The invoices of ``window``, part by part, each paying with the credit that those before it left."""
    customer = terms.customer
    held = [holding for holding in gather.holdings(connection, customer.id) if holding.plan.currency is not None]
    if not held:
        return []
    purse = grants.left_of(connection, customer.id)
    found: list[Drafted] = []
    for part in parts(window, customer.anchor, _runs_out(held, purse)):
        period = billing_period(part.start, customer.anchor)
        used = gather.usage(connection, customer.id, held, part, period.start)
        for holding in held:
            inputs = _inputs(connection, terms, holding, (part, period), used[holding.root], purse)
            invoice = build(inputs, holding.plan)
            if invoice is not None:
                found.append(Drafted(invoice, inputs, holding, used[holding.root].calls))
                purse = _after(purse, invoice)
    return found


def _runs_out(held: Iterable[Holding], purse: Iterable[GrantBalance]) -> list[datetime]:
    """Where credit runs out that admission counted on: what was used before is paid by it, what came after is not."""
    if not any(holding.plan.prepaid for holding in held):
        return []
    return [grant.expires_at for grant in purse if grant.expires_at is not None]


def _after(purse: list[GrantBalance], invoice: Invoice) -> list[GrantBalance]:
    burnt = dict(invoice.burns)
    if not burnt:
        return purse
    left = [replace(g, left=g.left - burnt.get(g.id, Money(0, g.left.currency))) for g in purse]
    return [grant for grant in left if grant.left.minor > 0]


def _inputs(
    connection: Connection,
    terms: Terms,
    holding: Holding,
    spans: tuple[Period, Period],
    used: Usage,
    purse: list[GrantBalance],
) -> BillingInputs:
    part, period = spans
    customer, plan = terms.customer, holding.plan
    last = part.end == period.end
    kept = gather.kept(connection, customer.id, holding, period) if last and plan.promise is not None else None
    return BillingInputs(
        id="",
        number=0,
        finalised_at=terms.now,
        customer=customer.id,
        subscription=holding.root,
        plan=plan.name,
        plan_version=plan.version,
        anchor=customer.anchor,
        part=part,
        period=period,
        since=holding.since,
        held=holding.held,
        last=last,
        cells=used.cells,
        distinct=used.distinct,
        grants=tuple(grant for grant in purse if grant.left.currency == plan.currency),
        tax_rate=customer.tax_rate,
        tax_name=customer.tax_name,
        notice=terms.notice,
        kept=kept,
        releases=tuple(sorted(used.calls)),
    )


def _finalise(connection: Connection, terms: Terms, drafted: Drafted) -> Invoice:
    identity, number = invoices.new_invoice_id(), invoices.next_number(connection)
    inputs = replace(drafted.inputs, id=identity, number=number)
    costs = tuple(
        MachineCost(release, calls, terms.unit_costs[release])
        for release, calls in sorted(drafted.calls.items())
        if release in terms.unit_costs
    )
    invoice = replace(drafted.invoice, id=identity, number=number)
    return invoices.finalise(connection, invoice, terms.customer, inputs, costs)
