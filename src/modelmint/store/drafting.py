"""What would be billed: gathered and built, nothing stored.

A change of what is held is previewed by its edits: they are put upon the subscriptions that are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from modelmint.commerce.billing.contracts import Edits
from modelmint.commerce.billing.draft import build
from modelmint.commerce.billing.periods import parts
from modelmint.commerce.billing.steps.minimum import KIND as MINIMUM
from modelmint.commerce.billing.types import BillingInputs, GrantBalance, Invoice
from modelmint.commerce.errors import EarlierPeriodOpen
from modelmint.commerce.moments import moment
from modelmint.commerce.types import Customer
from modelmint.kit.money import Money, UnitPrice
from modelmint.kit.period import Period, billing_period
from modelmint.store import gather, grants, invoices
from modelmint.store.gather import Holding, Usage
from modelmint.store.schema import call_rollups, closings, event_rollups, subscriptions


@dataclass(frozen=True, slots=True)
class Terms:
    """Whom and how an invoice addresses, and what a call of each release costs here."""

    customer: Customer
    notice: str
    now: datetime
    unit_costs: Mapping[str, UnitPrice] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Looked:
    """One holding in one part: what its invoice is built from, and the invoice where there is one."""

    inputs: BillingInputs
    invoice: Invoice | None
    holding: Holding
    #: Release -> calls.
    calls: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Survey:
    """All holdings in all parts of a window, and the credit that is left after them."""

    looked: Sequence[Looked]
    purse: list[GrantBalance]

    def invoices(self) -> list[Invoice]:
        """Those that there would be, not numbered."""
        return [each.invoice for each in self.looked if each.invoice is not None]


def draft(connection: Connection, terms: Terms, period: Period, end: datetime) -> list[Invoice]:
    """What closing ``period`` up to ``end`` would add."""
    window = open_window(connection, terms, period, end)
    if window is None:
        return []
    drafted = survey(connection, terms, window).invoices()
    return [replace(invoice, customer_name=terms.customer.name) for invoice in drafted]


def open_window(connection: Connection, terms: Terms, period: Period, end: datetime) -> Period | None:
    """The part of ``period`` up to ``end`` that no closing covers; raises ``EarlierPeriodOpen``."""
    begin = begin_of(connection, terms.customer) or period.start
    if begin < period.start:
        earlier = survey(connection, terms, Period(begin, period.start)).invoices()
        if earlier:
            months = sorted({f"{invoice.period.start:%Y-%m}" for invoice in earlier})
            raise EarlierPeriodOpen(
                f"periods are closed in order; {', '.join(months)} still holds something to bill. Close it first",
                details={"open": months},
            )
        begin = period.start
    return Period(begin, end) if begin < end else None


_LAST_END = select(func.max(closings.c.ends_at)).where(closings.c.customer == bindparam("owner"))
_FIRST = tuple(
    select(func.min(column)).where(column.table.c.customer == bindparam("owner"))
    for column in (subscriptions.c.starts_at, call_rollups.c.bucket, event_rollups.c.bucket)
)


def last_end(connection: Connection, customer: str) -> int | None:
    """Up to where the customer was billed."""
    found = connection.scalar(_LAST_END, {"owner": customer})
    return None if found is None else int(found)


def begin_of(connection: Connection, customer: Customer) -> datetime | None:
    """Where nothing was billed yet: after the last closing, else the billing period of the first plan or usage."""
    closed = last_end(connection, customer.id)
    if closed is not None:
        return moment(closed)
    # Usage older than the first plan exists where the clock went back.
    known = [connection.scalar(query, {"owner": customer.id}) for query in _FIRST]
    first = min((at for at in known if at is not None), default=None)
    return None if first is None else billing_period(moment(first), customer.anchor).start


def survey(
    connection: Connection,
    terms: Terms,
    window: Period,
    edits: Edits | None = None,
    purse: list[GrantBalance] | None = None,
) -> Survey:
    """Every priced holding, part by part, each paying with the credit that those before it left.

    ``edits``: as if they were made; ``purse``: with this credit instead of all that is left.
    """
    customer = terms.customer
    every = gather.holdings(connection, customer.id, edits or Edits())
    held = [holding for holding in every if holding.plan.currency is not None]
    purse = grants.left_of(connection, customer.id) if purse is None else purse
    if not held:
        return Survey((), purse)
    found: list[Looked] = []
    for part in parts(window, customer.anchor, _runs_out(held, purse)):
        period = billing_period(part.start, customer.anchor)
        used = gather.usage(connection, customer.id, held, part, period.start)
        for holding in held:
            inputs = _inputs(connection, terms, holding, (part, period), used[holding.root], purse)
            invoice = build(inputs, holding.plan)
            found.append(Looked(inputs, invoice, holding, used[holding.root].calls))
            purse = purse if invoice is None else _after(purse, invoice)
    return Survey(found, purse)


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
        forgiven=_forgiven(connection, terms, holding, used, period),
    )


def _forgiven(
    connection: Connection, terms: Terms, holding: Holding, used: Usage, period: Period
) -> tuple[datetime, ...]:
    """Of the periods of which usage comes late, those whose minimum is not owed, its invoice being void."""
    customer = terms.customer
    late = {cell.period for cell in used.cells} | {value.period for value in used.distinct}
    late.discard(period.start)
    if holding.plan.minimum is None or not late:
        return ()
    found = (
        billing_period(invoice.period.start, customer.anchor).start
        for invoice in invoices.void(connection, customer.id)
        if invoice.subscription == holding.root
        and any(line.kind == MINIMUM and not line.data["late"] for line in invoice.lines)
    )
    return tuple(sorted(late & set(found)))
