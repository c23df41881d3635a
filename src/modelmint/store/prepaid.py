"""How many calls prepaid credit covers, as a number that admission compares; the money itself stays with billing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, func, select, update

from modelmint.commerce.billing.draft import build
from modelmint.commerce.billing.steps.credit import usable
from modelmint.commerce.billing.types import GrantBalance
from modelmint.commerce.metering.types import Cell, Quantities
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Customer, Plan
from modelmint.kit.money import exponent
from modelmint.kit.period import Period, billing_period
from modelmint.store import catalogue, people, spans
from modelmint.store.drafting import Looked, Terms, begin_of, survey
from modelmint.store.leases import recall
from modelmint.store.schema import leases, reservations, subscriptions

#: For a plan whose calls cost nothing.
MANY = 10**12


def refresh(connection: Connection, subscription: str, now: int) -> int | None:
    """Set how far the calls of ``subscription`` may rise, and until when that holds; None for plans not prepaid.

    Covered is what credit is left after everything used and not yet billed was paid, less what calls under way may
    still cost. It holds until the first of that credit runs out, and where calls cost fractions of a coin until the
    billing period ends, because the next one is rounded by itself.
    ``connection`` must be of ``Database.write``.
    """
    row = connection.execute(select(subscriptions).where(subscriptions.c.id == subscription)).mappings().one()
    plan = catalogue.plan(connection, row["plan"], row["plan_version"])
    if not plan.prepaid or plan.currency is None:
        return None
    customer = people.customer(connection, row["customer"])
    at = moment(now)
    window = _open(connection, customer, at)
    seen = survey(connection, Terms(customer, "", at), window)
    looked = [each for each in seen.looked if subscription in each.holding.spans][-1]
    purse = [grant for grant in seen.purse if usable(grant, plan.currency, window.end)]
    owed = sum(invoice.due.minor for invoice in seen.invoices() if invoice.currency == plan.currency)
    covered = 0 if owed else _covered(plan, looked, purse)
    ends = [grant.expires_at for grant in purse if grant.expires_at is not None]
    if not _whole(plan, customer):
        ends.append(billing_period(at, customer.anchor).end)
    calls = spans.lifetime_calls(connection, row) + covered - _under_way(connection, customer.id)
    until = micros(min(ends)) if ends else None
    values = {"prepaid_calls": max(calls, 0), "prepaid_until": until}
    connection.execute(update(subscriptions).where(subscriptions.c.id == subscription).values(values))
    sooner = until is not None and (row["prepaid_until"] is None or until < row["prepaid_until"])
    if calls < (row["prepaid_calls"] or 0) or sooner:
        recall(connection, customer.id)
    return covered


def refresh_all(connection: Connection, customer: Customer, now: int) -> None:
    """Every subscription that the customer holds now or will hold."""
    query = select(subscriptions.c.id, subscriptions.c.plan, subscriptions.c.plan_version).where(
        subscriptions.c.customer == customer.id, (subscriptions.c.ends_at.is_(None)) | (subscriptions.c.ends_at > now)
    )
    for name, plan, version in connection.execute(query).all():
        if catalogue.plan(connection, plan, version).prepaid:
            refresh(connection, name, now)


def unbilled(connection: Connection, customer: Customer, now: datetime, currency: str) -> int:
    """What was used and is not billed yet, in minor units, as if it were billed now."""
    window = _open(connection, customer, now)
    drafted = survey(connection, Terms(customer, "", now), window).invoices()
    return sum(invoice.total.minor for invoice in drafted if invoice.currency == currency)


def _open(connection: Connection, customer: Customer, now: datetime) -> Period:
    begin = begin_of(connection, customer) or now
    # A clock that went back behind the last closing: what is open begins where that ended.
    return Period(begin, max(now, begin) + timedelta(microseconds=1))


def _whole(plan: Plan, customer: Customer) -> bool:
    """Whether every call costs whole coins, tax included: then nothing is ever rounded."""
    prices = [tier.price for charge in plan.charges for tier in charge.tiers]
    coins = [(price.amount * (1 + customer.tax_rate)).scaleb(exponent(price.currency)) for price in prices]
    return all(coin == coin.to_integral_value() for coin in coins)


def stale(connection: Connection, now: int) -> list[str]:
    """Subscriptions held now whose number of calls held until a moment that is past."""
    rows = subscriptions.c
    query = select(rows.id).where(rows.prepaid_until <= now, rows.ends_at.is_(None) | (rows.ends_at > now))
    return list(connection.scalars(query))


def _covered(plan: Plan, looked: Looked, purse: list[GrantBalance]) -> int:
    """The most calls at the highest price that ``purse`` pays in full, tax and rounding included."""
    left = sum(grant.left.minor for grant in purse)
    price = max(tier.price.amount for charge in plan.charges for tier in charge.tiers)
    minor = (price * (1 + looked.inputs.tax_rate)).scaleb(exponent(purse[0].left.currency) if purse else 0)
    if not purse or minor == 0:
        return MANY if minor == 0 else 0
    if len(plan.charges) > 1:  # each line is rounded by itself: a minor unit of room for each, and for tax
        return max(int((left - len(plan.charges) - 1) // minor), 0)
    calls = int(left // minor) + 1
    while calls and not _pays(plan, looked, purse, calls):
        calls -= 1
    return calls


def _pays(plan: Plan, looked: Looked, purse: list[GrantBalance], calls: int) -> bool:
    """Whether nothing would be due after so many further calls."""
    inputs, fits = looked.inputs, plan.charges[0].fits
    burnt = {} if looked.invoice is None else dict(looked.invoice.burns)
    known = {grant.id: grant for grant in inputs.grants if grant.id in burnt} | {grant.id: grant for grant in purse}
    left = {grant.id: grant.left.minor for grant in purse}
    grants = [
        replace(grant, left=replace(grant.left, minor=left.get(name, 0) + (burnt[name].minor if name in burnt else 0)))
        for name, grant in known.items()
    ]
    more = Quantities(calls, Decimal(calls))
    names = (fits.model or "", fits.variant or "", fits.state or "ok")
    cell = Cell(inputs.period.start, "calls", *names, before=Quantities(), new=more)
    invoice = build(replace(inputs, cells=(*inputs.cells, cell), grants=tuple(grants)), plan)
    return invoice is None or invoice.due.minor == 0


def _under_way(connection: Connection, customer: str) -> int:
    """Calls that are counted and not settled: reserved one by one, or lent to processes."""
    one_by_one = select(func.sum(reservations.c.calls)).where(reservations.c.customer == customer)
    lent = select(func.sum(leases.c.granted)).where(leases.c.customer == customer)
    return int(connection.scalar(one_by_one) or 0) + int(connection.scalar(lent) or 0)
