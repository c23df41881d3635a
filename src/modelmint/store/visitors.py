"""Visitors' tries, counted in one transaction; what they left, kept for a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from modelmint.commerce.moments import micros, moment
from modelmint.commerce.names import is_writable
from modelmint.commerce.visitors.errors import TriesSpent, UnknownLead
from modelmint.commerce.visitors.leaving import checked
from modelmint.commerce.visitors.types import Bounds, Lead, Visitor
from modelmint.kit.clock import Clock
from modelmint.kit.ids import new_id
from modelmint.store.database import Database
from modelmint.store.history import note
from modelmint.store.schema import leads, tries

_DAY = 86_400_000_000
_PAGE = 1000
#: For how long a visitor's used tries are remembered: as long as the cookie that names the visitor.
REMEMBERED = timedelta(days=30)
#: Places of the three counts.
_VISITOR, _ADDRESS, _EVERYBODY = "visitor", "address", "everybody"
#: Places of what an address sent in vain, and of forms that hold a try.
_REFUSED, _FORM = "refused", "form"


class SqlVisitors:
    """``commerce.visitors.repository.Visitors`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def take(self, visitor: Visitor, bounds: Bounds, kind: str = "", form: str = "") -> int | None:
        now = micros(self._clock.now())
        places = _places(visitor, kind, now)
        most = {_VISITOR: bounds.visitor, _ADDRESS: bounds.address, _EVERYBODY: bounds.everybody}
        with self._database.write() as connection:
            if form and _used(connection, _today(_FORM, form, now)):
                return None
            in_vain = _today(_REFUSED, visitor.address, now)
            if bounds.refused is not None and _used(connection, in_vain) >= bounds.refused:
                raise _spent(_REFUSED, bounds.refused, now)
            used = {place: _used(connection, names) for place, names in places.items()}
            for place in (_VISITOR, _ADDRESS, _EVERYBODY):
                if used[place] >= most[place]:
                    raise _spent(place, most[place], now)
            for place, names in places.items():
                _count(connection, names, used[place], now)
            if form:
                _count(connection, _today(_FORM, form, now), 0, now)
            return bounds.visitor - used[_VISITOR] - 1

    def give_back(self, visitor: Visitor, kind: str = "", form: str = "") -> None:
        now = micros(self._clock.now())
        with self._database.write() as connection:
            if form:
                connection.execute(delete(tries).where(_is(_today(_FORM, form, now))))
            for names in _places(visitor, kind, now).values():
                less = update(tries).where(_is(names), tries.c.used > 0).values(used=tries.c.used - 1)
                connection.execute(less)

    def refused(self, visitor: Visitor) -> None:
        now = micros(self._clock.now())
        names = _today(_REFUSED, visitor.address, now)
        with self._database.write() as connection:
            _count(connection, names, _used(connection, names), now)

    def left(self, visitor: Visitor, bounds: Bounds) -> int:
        places = _places(visitor, "", micros(self._clock.now()))
        with self._database.read() as connection:
            used = {place: _used(connection, names) for place, names in places.items()}
        most = (bounds.visitor - used[_VISITOR], bounds.address - used[_ADDRESS], bounds.everybody - used[_EVERYBODY])
        return max(0, min(most))

    def leave(self, email: str, comment: str, *, prediction: str | None, language: str, consent: str | None) -> Lead:
        email, comment = checked(email, comment, consent, prediction)
        agreed = consent if email else None
        row: dict[str, Any] = {"id": new_id("lead"), "email": email, "comment": comment, "consent": agreed}
        row |= {"prediction": prediction, "language": language, "at": micros(self._clock.now())}
        with self._database.write() as connection:
            connection.execute(leads.insert().values(row))
        return _lead(row)

    def leads(self, *, before: str | None = None, limit: int = 100) -> list[Lead]:
        query = select(leads).order_by(leads.c.seq.desc()).limit(limit)
        if before is not None:
            place = select(leads.c.seq).where(leads.c.id == before).scalar_subquery()
            query = query.where(leads.c.seq < place)
        with self._database.read() as connection:
            return [_lead(row) for row in connection.execute(query).mappings()]

    def all_leads(self) -> Iterator[Lead]:
        last = 0
        while True:
            query = select(leads).where(leads.c.seq > last).order_by(leads.c.seq).limit(_PAGE)
            with self._database.read() as connection:
                rows: list[Any] = list(connection.execute(query).mappings())
            yield from map(_lead, rows)
            if len(rows) < _PAGE:
                return
            last = rows[-1]["seq"]

    def forget(self, wanted: str) -> int:
        if not is_writable(wanted):
            raise _nobody(wanted)
        which = or_(leads.c.id == wanted, and_(leads.c.email != "", func.lower(leads.c.email) == wanted.lower()))
        now = micros(self._clock.now())
        with self._database.write(thorough=True) as connection:
            gone = connection.execute(delete(leads).where(which)).rowcount
            if not gone:
                raise _nobody(wanted)
            note(connection, "lead.erased", "leads", now, {"rows": gone})
        self._database.scrub(("leads",))
        return gone

    def purge(self, now: datetime, keep: timedelta) -> int:
        old, over = micros(now - keep), micros(now - REMEMBERED)
        yesterday = micros(now) - 2 * _DAY
        ended = or_(tries.c.at < over, and_(tries.c.day > 0, tries.c.day < yesterday))
        with self._database.read() as connection:
            waiting = connection.scalar(select(leads.c.seq).where(leads.c.at < old).limit(1))
            counted = connection.scalar(select(tries.c.name).where(ended).limit(1))
        if waiting is None and counted is None:
            return 0
        with self._database.write(thorough=True) as connection:
            gone = connection.execute(delete(leads).where(leads.c.at < old)).rowcount
            connection.execute(delete(tries).where(ended))
        return gone


def _places(visitor: Visitor, kind: str, now: int) -> dict[str, tuple[str, str, int]]:
    return {
        _VISITOR: (kind + _VISITOR, visitor.id, 0),
        _ADDRESS: _today(kind + _ADDRESS, visitor.address, now),
        _EVERYBODY: _today(kind + _EVERYBODY, "", now),
    }


def _today(place: str, name: str, now: int) -> tuple[str, str, int]:
    return (place, name, now - now % _DAY)


def _is(names: tuple[str, str, int]) -> ColumnElement[bool]:
    kind, name, day = names
    return and_(tries.c.kind == kind, tries.c.name == name, tries.c.day == day)


def _used(connection: Connection, names: tuple[str, str, int]) -> int:
    return int(connection.scalar(select(tries.c.used).where(_is(names))) or 0)


def _count(connection: Connection, names: tuple[str, str, int], used: int, now: int) -> None:
    changed = connection.execute(update(tries).where(_is(names)).values(used=used + 1, at=now)).rowcount
    if not changed:
        kind, name, day = names
        connection.execute(tries.insert().values(kind=kind, name=name, day=day, used=1, at=now))


def _spent(place: str, most: int, now: int) -> TriesSpent:
    tomorrow = (_DAY - now % _DAY) / 1_000_000
    if place == _VISITOR:
        return TriesSpent(f"your {most} tries are used up; ask for a key to go on")
    if place == _REFUSED:
        message = (
            f"{most} tries of today from your network could not be used, and no more are taken; come back tomorrow"
        )
        return TriesSpent(message, retry_after=tomorrow)
    if place == _ADDRESS:
        return TriesSpent(f"the {most} tries of a day from your network are used up", retry_after=tomorrow)
    return TriesSpent(f"all {most} tries of today are used up; come back tomorrow", retry_after=tomorrow)


def _nobody(wanted: str) -> UnknownLead:
    return UnknownLead(f"nothing was left under {wanted[:80]!r}; expected a lead's id or an e-mail address")


def _lead(row: Any) -> Lead:
    return Lead(
        row["id"], row["email"], row["comment"], row["prediction"], row["language"], row["consent"], moment(row["at"])
    )
