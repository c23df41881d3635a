"""Partners, referral codes, statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, or_, select

from modelmint.commerce.channels import payout, report, statement
from modelmint.commerce.channels.codes import BY_PARTNER, WHOLESALE, checked_terms
from modelmint.commerce.channels.errors import NotAPartner, PartnerExists, UnknownPartner
from modelmint.commerce.channels.reading import movements
from modelmint.commerce.channels.types import ChannelRow, Partner, PartnerStatement, Referral
from modelmint.commerce.errors import UnknownCustomer
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Customer
from modelmint.kit.clock import Clock
from modelmint.kit.ids import new_id
from modelmint.kit.money import Money
from modelmint.kit.period import Period, month_before
from modelmint.store import invoices, journal, payouts, people, referrals
from modelmint.store.database import Database
from modelmint.store.entries import entries_of
from modelmint.store.history import note
from modelmint.store.owed import is_closed
from modelmint.store.schema import customers, ledger_entries, partners


class SqlChannels:
    """``commerce.channels.repository.Channels`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def add_partner(self, customer: str, terms: str, rate: Decimal | str) -> Partner:
        share = checked_terms(terms, rate)
        with self._database.write() as connection:
            found = people.living(connection, customer)
            if found.partner is not None or _row(connection, partners.c.customer == found.id) is not None:
                raise PartnerExists(f"{found.id} is a partner already, or is a partner's customer")
            now = self._now()
            identity = new_id("par")
            row = {
                "id": identity,
                "customer": found.id,
                "terms": terms,
                "rate": format(share.normalize(), "f"),
                "created_at": now,
            }
            connection.execute(partners.insert().values(row))
            note(connection, "partner.added", identity, now, {"customer": found.id, "terms": terms, "rate": share})
            return find(connection, identity)

    def partners(self) -> list[Partner]:
        with self._database.read() as connection:
            return [_partner(row) for row in connection.execute(_query().order_by(partners.c.seq)).mappings()]

    def partner(self, wanted: str) -> Partner:
        with self._database.read() as connection:
            return find(connection, wanted)

    def partner_of(self, customer: str) -> Partner:
        with self._database.read() as connection:
            row = _row(connection, partners.c.customer == customer)
        if row is None:
            raise NotAPartner("the key's customer is no partner; the founder makes one: modelmint partners add")
        return _partner(row)

    def customers(self, partner: str) -> list[Customer]:
        with self._database.read() as connection:
            return people.all_customers(connection, _id(connection, partner))

    def customer(self, partner: str, wanted: str) -> Customer:
        with self._database.read() as connection:
            return people.customer(connection, wanted, _id(connection, partner))

    def add_customer(self, partner: str, name: str, email: str, *, referral: str | None = None) -> Customer:
        with self._database.write() as connection:
            owner, channel = _id(connection, partner), BY_PARTNER
            if referral is not None:
                channel = referrals.valid(connection, referral, owner).channel
            now = self._now()
            return people.add_customer(connection, name, email, now, partner=owner, channel=channel, by_partner=True)

    def add_referral(self, code: str, channel: str, partner: str | None = None) -> Referral:
        with self._database.write() as connection:
            owner = None if partner is None else _id(connection, partner)
            return referrals.add(connection, code, channel, owner, self._now())

    def referrals(self, partner: str | None = None) -> list[Referral]:
        with self._database.read() as connection:
            return referrals.all_of(connection, None if partner is None else _id(connection, partner))

    def withdraw_referral(self, code: str) -> Referral:
        with self._database.write() as connection:
            return referrals.withdraw(connection, code, self._now())

    def statement(self, partner: str, period: Period) -> list[PartnerStatement]:
        with self._database.read() as connection:
            return _statements(connection, find(connection, partner), period)

    def close_statement(self, partner: str, period: Period) -> list[PartnerStatement]:
        now = self._clock.now()
        statement.check_over(period, now)
        with self._database.write() as connection:
            owner = find(connection, partner)
            found = _statements(connection, owner, period)
            fresh = [one for one in found if one.closed_at is None]
            for one in fresh:
                journal.post(connection, statement.postings(owner, one, now))
                if owner.terms == WHOLESALE:
                    _settle(connection, owner, one, micros(now))
            if fresh:
                data = {"month": f"{period.start:%Y-%m}", "shares": [str(one.share) for one in fresh]}
                note(connection, "statement.closed", owner.id, micros(now), data)
            return [one if one.closed_at is not None else replace(one, closed_at=now) for one in found]

    def pay_out(
        self, partner: str, period: Period, amount: Money | None = None, reference: str = ""
    ) -> list[PartnerStatement]:
        payout.check_asked(amount, reference)
        with self._database.write() as connection:
            owner = find(connection, partner)
            found = payout.chosen(_statements(connection, owner, period), period, amount)
            payouts.pay(connection, owner, found, amount, reference, self._now())
            return _statements(connection, owner, period)

    def report(self, period: Period) -> list[ChannelRow]:
        with self._database.read() as connection:
            booked = ledger_entries.c.at
            query = select(ledger_entries).where(booked >= micros(period.start), booked < micros(period.end))
            return report.rows(
                entries_of(connection, query.order_by(ledger_entries.c.seq)),
                people.all_customers(connection),
                period,
            )

    def _now(self) -> int:
        return micros(self._clock.now())


def find(connection: Connection, wanted: str) -> Partner:
    """By its id, or its customer's id or name; raises ``UnknownPartner``."""
    row = _row(connection, or_(partners.c.id == wanted, partners.c.customer == wanted))
    if row is None:
        try:
            found = people.customer(connection, wanted)
        except UnknownCustomer:
            found = None
        row = None if found is None else _row(connection, partners.c.customer == found.id)
    if row is None:
        raise UnknownPartner(f"no partner has the id or name {wanted!r}; list them with 'modelmint partners list'")
    return _partner(row)


def billed_by_partner(customer: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether ``customer`` (a column of ids) pays a wholesale partner instead of us: nothing is collected from it."""
    sold = customers.join(partners, partners.c.id == customers.c.partner)
    return exists().select_from(sold).where(customers.c.id == customer, partners.c.terms == WHOLESALE)


def _settle(connection: Connection, owner: Partner, closed: PartnerStatement, now: int) -> None:
    """What the partner owes us instead is owed by its customers no more."""
    for number in sorted({number for line in closed.lines for number in line.invoices}):
        invoice = invoices.one(connection, str(number))
        if invoice.kind == "invoice" and invoice.due.minor and not is_closed(connection, invoice.id):
            invoices.mark(connection, invoice, "paid", now, {"by": "partner", "partner": owner.id})


def _id(connection: Connection, wanted: str) -> str:
    return find(connection, wanted).id


def _query() -> Select[Any]:
    called = people.called.label("called")
    return select(partners, called).join(customers, customers.c.id == partners.c.customer)


def _row(connection: Connection, test: Any) -> Any:
    return connection.execute(_query().where(test)).mappings().first()


def _partner(row: Any) -> Partner:
    return Partner(
        id=row["id"],
        customer=row["customer"],
        name=row["called"],
        terms=row["terms"],
        rate=Decimal(row["rate"]),
        created_at=moment(row["created_at"]),
    )


def _statements(connection: Connection, owner: Partner, period: Period) -> list[PartnerStatement]:
    statement.check_month(period)
    closed = _closings(connection, owner.id, period)
    own = set(connection.scalars(select(customers.c.id).where(customers.c.partner == owner.id)))
    found = (one for one in movements(_entries(connection, owner.id, period, closed)) if one.customer in own)
    made = statement.statements(owner, period, found, {currency: at for currency, (_, at) in closed.items()})
    return [replace(one, paid=payouts.paid_out(connection, owner.id, period, one.currency)) for one in made]


def _entries(
    connection: Connection, owner: str, period: Period, closed: dict[str, tuple[int, datetime]]
) -> Iterator[LedgerEntry]:
    """What was booked in ``period`` before its statement was closed, and what came too late for the one before."""
    before = month_before(period)
    earlier = _closings(connection, owner, before)
    booked = ledger_entries.c.at
    query = select(ledger_entries).where(booked >= micros(before.start), booked < micros(period.end))
    for entry in entries_of(connection, query.order_by(ledger_entries.c.seq)):
        if closed and entry.seq > min(seq for seq, _ in closed.values()):
            continue
        if entry.at >= period.start or (earlier and entry.seq > max(seq for seq, _ in earlier.values())):
            yield entry


def _closings(connection: Connection, owner: str, period: Period) -> dict[str, tuple[int, datetime]]:
    """Currency -> (place in the ledger, when) of a closed statement."""
    query = select(ledger_entries).where(
        ledger_entries.c.account == statement.payable(owner), ledger_entries.c.at >= micros(period.end)
    )
    return {
        entry.amount.currency: (entry.seq, entry.at)
        for entry in entries_of(connection, query)
        if entry.transaction == statement.transaction_of(owner, period, entry.amount.currency)
    }
