"""Prepaid credit: grants, what is left, what ran out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from modelmint.commerce.billing.details import check_grant
from modelmint.commerce.billing.types import Grant, GrantBalance, GrantLeft
from modelmint.commerce.documents.invoice_json import money_json
from modelmint.commerce.ledger.postings import Leg, credit, transaction
from modelmint.commerce.moments import micros
from modelmint.kit.clock import Clock
from modelmint.kit.ids import new_id
from modelmint.kit.money import Money
from modelmint.store import grants, people, prepaid
from modelmint.store.database import Database
from modelmint.store.drafting import begin_of
from modelmint.store.history import note as note_down
from modelmint.store.history import tell
from modelmint.store.journal import post
from modelmint.store.schema import audit, burns
from modelmint.store.schema import grants as rows

#: What credit of a source is booked against.
_AGAINST = {"purchase": "cash:credits", "promotion": "expense:promotion"}
_GOODWILL = "expense:goodwill"
BREAKAGE = "revenue:credits:breakage"
#: In place of the invoice, where credit ran out.
EXPIRED = "expired"
#: Low: less is left than this share of all that has not run out, 1 of 10.
_LOW_SHARE = 10


class SqlCredits:
    """``commerce.billing.repository.Credits`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def grant(
        self,
        customer: str,
        amount: Money,
        *,
        priority: int = 10,
        expires_at: datetime | None = None,
        source: str = "purchase",
        note: str = "",
    ) -> Grant:
        now = self._clock.now()
        check_grant(amount, priority, expires_at, now, source=source, note=note)
        with self._database.write() as connection:
            owner = people.living(connection, customer)
            found = Grant(new_id("gra"), owner.id, amount, priority, expires_at, source, note, now)
            grants.insert(connection, grants.row_of(found))
            legs: list[Leg] = [
                (_AGAINST.get(source, _GOODWILL), amount, {"grant": found.id}),
                (credit(owner.id), -amount, {"grant": found.id}),
            ]
            post(connection, transaction(_transaction(found.id), now, f"credit granted: {source}", legs))
            prepaid.refresh_all(connection, owner, micros(now))
        return found

    def grants(self, customer: str) -> list[GrantLeft]:
        now = self._clock.now()
        with self._database.read() as connection:
            return grants.all_of(connection, people.customer(connection, customer).id, now)

    def balance(self, customer: str) -> list[Money]:
        left: dict[str, Money] = {}
        for found in self.grants(customer):
            if not found.expired:
                currency = found.left.currency
                left[currency] = left.get(currency, Money(0, currency)) + found.left
        return [left[currency] for currency in sorted(left)]

    def expire(self) -> int:
        now = self._clock.now()
        with self._database.read() as connection:
            query = select(rows.c.customer).where(rows.c.expires_at <= micros(now)).distinct()
            owners = [owner for owner in connection.scalars(query) if _ran_out(connection, owner, now)]
        done = 0
        for owner in owners:
            with self._database.write() as connection:
                for grant in _ran_out(connection, owner, now):
                    _expire(connection, owner, grant, now)
                    done += 1
        return done

    def renew(self) -> int:
        now = micros(self._clock.now())
        with self._database.read() as connection:
            names = prepaid.stale(connection, now)
        for name in names:
            with self._database.write() as connection:
                prepaid.refresh(connection, name, now)
        return len(names)

    def watch(self) -> int:
        now = self._clock.now()
        with self._database.read() as connection:
            names = list(connection.scalars(select(rows.c.customer).distinct()))
            low = [owner for owner in names if _low(connection, owner, now) is not None]
        for owner in low:
            with self._database.write() as connection:
                _tell_low(connection, owner, now)
        return len(low)


def _transaction(grant: str) -> str:
    return f"txn_{grant}"


def _ran_out(connection: Connection, owner: str, now: datetime) -> list[GrantBalance]:
    """Grants with something left whose time is over and billed to its end: no invoice can burn them any more."""
    over = [g for g in grants.left_of(connection, owner) if g.expires_at is not None and g.expires_at <= now]
    begin = begin_of(connection, people.customer(connection, owner)) if over else None
    return [g for g in over if g.expires_at is not None and (begin is None or begin >= g.expires_at)]


def _expire(connection: Connection, owner: str, grant: GrantBalance, now: datetime) -> None:
    at = micros(now)
    connection.execute(burns.insert().values(grant=grant.id, invoice=EXPIRED, minor=grant.left.minor, at=at))
    legs: list[Leg] = [
        (credit(owner), grant.left, {"grant": grant.id}),
        (BREAKAGE, -grant.left, {"grant": grant.id}),
    ]
    post(connection, transaction(f"{_transaction(grant.id)}_expired", now, "credit ran out", legs))
    note_down(connection, "credit.expired", grant.id, at, {"left": str(grant.left)})


def _low(connection: Connection, owner: str, now: datetime) -> tuple[GrantLeft, Money] | None:
    """The newest grant and what is left in its currency less what is not billed yet, if low and not told since."""
    known = [found for found in grants.all_of(connection, owner, now) if not found.expired]
    if not known:
        return None
    newest = known[-1]
    told = select(func.count()).where(audit.c.subject == newest.grant.id, audit.c.action == "credit.low")
    if connection.scalar(told):
        return None
    currency = newest.left.currency
    mine = [found for found in known if found.left.currency == currency]
    spent = prepaid.unbilled(connection, people.customer(connection, owner), now, currency)
    left = Money(max(sum(found.left.minor for found in mine) - spent, 0), currency)
    given = sum(found.grant.amount.minor for found in mine)
    return (newest, left) if left.minor * _LOW_SHARE < given else None


def _tell_low(connection: Connection, owner: str, now: datetime) -> None:
    found = _low(connection, owner, now)
    if found is not None:
        newest, left = found
        note_down(connection, "credit.low", newest.grant.id, micros(now), {"left": str(left)})
        body = {"customer": owner, "left": money_json(left), "grant": newest.grant.id}
        tell(connection, "credit.low", owner, body, micros(now))
