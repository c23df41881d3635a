"""What of usage a provider is told: written with its quantity before it is sent, so that it counts once.

Roll-ups only grow. What a day holds more than its reports do is a further part, however late it comes. Providers take
whole units: what is left of one stands as ``carry`` on the newest report and goes along with the next.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select, update

from modelmint.commerce.moments import micros, moment
from modelmint.commerce.payments import reporting
from modelmint.commerce.payments.types import UsageReport
from modelmint.commerce.payments.usage_sink import UsageLimits
from modelmint.kit.clock import Clock
from modelmint.kit.period import Period
from modelmint.store import usage_tables
from modelmint.store.database import Database
from modelmint.store.history import note, tell
from modelmint.store.schema import payment_customers, usage_reports

LONGEST_REASON = 200
#: Reports of one run; the next one takes the rest.
PAGE = 1000
_MILLION = 10**6
_WAITING = ("pending", "refused")
_ROWS = usage_reports.c
_KNOWN = and_(payment_customers.c.provider == _ROWS.provider, payment_customers.c.customer == _ROWS.customer)


class SqlUsageReports:
    """``commerce.payments.repository.UsageReports`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def plan(self, provider: str, meters: Collection[str], days: Period) -> int:
        theirs = payment_customers.c
        query = select(theirs.customer).where(theirs.provider == provider).order_by(theirs.customer)
        with self._database.read() as connection:
            customers = list(connection.scalars(query))
        made = 0
        for customer in customers:
            with self._database.read() as connection:
                if not _untold(connection, provider, customer, meters, days):
                    continue
            with self._database.write() as connection:  # looked at again: another process may have been faster
                if connection.scalar(query.where(theirs.customer == customer)) is None:
                    continue  # erased meanwhile
                for meter, day, part, counted in _untold(connection, provider, customer, meters, days):
                    _add(connection, (provider, customer, meter), (day, part), counted, self._now())
                    made += 1
        return made

    def due(self, provider: str) -> list[str]:
        wanted = and_(_ROWS.provider == provider, _ROWS.state.in_(_WAITING))
        doubtful = _ROWS.doubt_since.is_not(None)
        query = select(_ROWS.id).join(payment_customers, _KNOWN).where(wanted, _ROWS.next_at <= self._now())
        counted = select(func.count()).select_from(usage_reports).join(payment_customers, _KNOWN)
        with self._database.read() as connection:
            unanswered = counted.where(wanted, doubtful, _ROWS.state == "pending")
            if (connection.scalar(unanswered) or 0) >= reporting.MOST_IN_DOUBT:
                query = query.where(doubtful)
            return list(connection.scalars(query.order_by(_ROWS.doubt_since.is_(None), _ROWS.seq).limit(PAGE)))

    def begin(self, report: str, limits: UsageLimits) -> UsageReport | None:
        now = self._now()
        with self._database.write() as connection:
            found = connection.execute(_select().where(_ROWS.id == report)).mappings().first()
            if found is None or found["state"] not in _WAITING or found["next_at"] > now:
                return None
            doubt = found["doubt_since"]
            if doubt is not None and now - doubt > _span(limits.memory - reporting.MARGIN):
                _give_up(connection, found, "unknown", "nobody knows whether it was counted", now)
                return None
            if now - micros(reporting.reported_at(moment(found["day"]))) > _span(limits.age):
                _give_up(connection, found, "expired", found["reason"] or "too long ago to be taken", now)
                return None
            tries = found["tries"] + 1
            wait = now + _span(reporting.wait_after(tries))
            _change(connection, report, tries=tries, next_at=wait, doubt_since=now if doubt is None else doubt)
            return _report({**found, "tries": tries})

    def sent(self, report: str) -> None:
        with self._database.write() as connection:
            _change(connection, report, state="sent", reason="", next_at=None, doubt_since=None)

    def refused(self, report: str, reason: str) -> None:
        now, reason = self._now(), reason[:LONGEST_REASON]
        with self._database.write() as connection:
            found = connection.execute(_select(outer=True).where(_ROWS.id == report)).mappings().one()
            if found["state"] not in _WAITING:
                return
            same = and_(_ROWS.provider == found["provider"], _ROWS.meter == found["meter"], _ROWS.reason == reason)
            _tell_first(connection, found, and_(same, _ROWS.state == "refused"), "refused", reason, now)
            # A refusal speaks of its own try: one before it, of which nobody knows, may have counted.
            begun, doubt = found["next_at"] - _span(reporting.wait_after(found["tries"])), found["doubt_since"]
            doubt = doubt if doubt is not None and doubt < begun else None
            wait = reporting.REFUSED_WAIT if doubt is None else reporting.DOUBTFUL_WAIT
            _change(connection, report, state="refused", reason=reason, next_at=now + _span(wait), doubt_since=doubt)

    def all(self, *, limit: int = 100) -> list[UsageReport]:
        with self._database.read() as connection:
            rows = connection.execute(_select(outer=True).order_by(_ROWS.seq.desc()).limit(limit)).mappings()
            return [_report(row) for row in rows]

    def _now(self) -> int:
        return micros(self._clock.now())


def _untold(
    connection: Connection, provider: str, customer: str, meters: Collection[str], days: Period
) -> list[tuple[str, int, int, int]]:
    """(meter, day, part, millionths) of what was booked and no report holds, day by day."""
    told: dict[tuple[str, int], tuple[int, int]] = {}
    known = select(_ROWS.meter, _ROWS.day, _ROWS.part, _ROWS.counted).where(
        _ROWS.provider == provider,
        _ROWS.customer == customer,
        _ROWS.day >= micros(days.start),
        _ROWS.day < micros(days.end),
    )
    for meter, day, part, counted in connection.execute(known):
        last, former = told.get((meter, day), (0, 0))
        told[meter, day] = max(last, part), former + counted
    found = []
    for row in usage_tables.table(connection, customer, days, ("day",)):
        day = micros(datetime.fromisoformat(row.day).replace(tzinfo=UTC))
        last, former = told.get((row.meter, day), (0, 0))
        new = int(row.quantity.scaleb(6)) - former
        if row.meter in meters and new > 0:
            found.append((row.meter, day, last + 1, new))
    return found


def _add(connection: Connection, whose: tuple[str, str, str], when: tuple[int, int], counted: int, now: int) -> None:
    (provider, customer, meter), (day, part) = whose, when
    newest = (
        select(_ROWS.carry)
        .where(_ROWS.provider == provider, _ROWS.customer == customer, _ROWS.meter == meter)
        .order_by(_ROWS.seq.desc())
        .limit(1)
    )
    quantity, carry = divmod((connection.scalar(newest) or 0) + counted, _MILLION)
    row = {
        "id": reporting.identifier(provider, customer, meter, moment(day), part),
        "provider": provider,
        "customer": customer,
        "meter": meter,
        "day": day,
        "part": part,
        "counted": counted,
        "quantity": quantity,
        "carry": carry,
        "state": "pending" if quantity else "carried",
        "reason": "",
        "tries": 0,
        "next_at": now if quantity else None,
    }
    connection.execute(usage_reports.insert().values(row))


def _give_up(connection: Connection, found: Any, state: str, reason: str, now: int) -> None:
    same = and_(_ROWS.provider == found["provider"], _ROWS.meter == found["meter"], _ROWS.day == found["day"])
    _tell_first(connection, found, and_(same, _ROWS.state == state), state, reason, now)
    _change(connection, found["id"], state=state, reason=reason, next_at=None)


def _tell_first(
    connection: Connection, found: Any, same: ColumnElement[bool], state: str, reason: str, now: int
) -> None:
    """Told of one report, not of each: what a meter lacks it lacks for a thousand customers."""
    if connection.scalar(select(func.count()).select_from(usage_reports).where(same)):
        return
    told = {"provider": found["provider"], "meter": found["meter"], "day": f"{moment(found['day']):%Y-%m-%d}"}
    told |= {"report": found["id"], "quantity": found["quantity"], "state": state, "reason": reason}
    note(connection, "usage.unreported", found["customer"], now, told)
    tell(connection, "usage.unreported", found["customer"], told, now)


def _select(*, outer: bool = False) -> Any:
    joined = usage_reports.join(payment_customers, _KNOWN, isouter=outer)
    return select(usage_reports, payment_customers.c.reference).select_from(joined)


def _change(connection: Connection, report: str, **values: Any) -> None:
    connection.execute(update(usage_reports).where(_ROWS.id == report).values(values))


def _span(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _report(row: Any) -> UsageReport:
    day = moment(row["day"])
    return UsageReport(
        id=row["id"],
        customer=row["customer"],
        reference=row["reference"] or "",
        meter=row["meter"],
        day=day,
        part=row["part"],
        quantity=row["quantity"],
        at=reporting.reported_at(day),
        state=row["state"],
        reason=row["reason"],
        tries=row["tries"],
    )
