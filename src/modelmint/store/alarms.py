"""Keys watched: their requests minute by minute, and the alarms that begin and end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select, update

from modelmint.commerce.moments import moment
from modelmint.commerce.people.abuse import PAST_DAYS, Habit
from modelmint.commerce.people.types import Alarm
from modelmint.kit.canonical import canonical_json
from modelmint.kit.ids import new_id
from modelmint.store.history import note, tell
from modelmint.store.schema import alarms, outcomes

_MINUTE = 60 * 1_000_000
#: Rows of the past that are read when a process begins to watch; of the newest so many.
LONGEST_PAST = 2_000_000


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm to begin, or the one to end."""

    key: str
    customer: str
    kind: str
    data: dict[str, Any]
    #: The alarm that ends; None where one begins.
    ends: str | None = None


class Watch:
    """What one process knows of every key; grows by the outcomes booked since it last looked."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._habits: dict[str, Habit] = {}
        self._owners: dict[str, str] = {}

    def look(self, connection: Connection, now: int) -> list[Change]:
        """What differs between the alarms that are open and what the keys do now."""
        self._read(connection, now)
        standing = {(one.key, one.kind): one for one in all_of(connection, None, open_only=True, limit=1000)}
        found = []
        for key, habit in self._habits.items():
            for kind, verdict in habit.judge(now // _MINUTE).items():
                alarm = standing.get((key, kind))
                if alarm is None and verdict.begins:
                    found.append(Change(key, self._owners[key], kind, verdict.data))
                elif alarm is not None and not (verdict.begins or verdict.lasts):
                    found.append(Change(key, alarm.customer, kind, verdict.data, alarm.id))
        return found

    def _read(self, connection: Connection, now: int) -> None:
        newest = connection.scalar(select(func.max(outcomes.c.seq))) or 0
        after = max(0, newest - LONGEST_PAST) if self._last is None else self._last
        minute = outcomes.c.at - outcomes.c.at % _MINUTE
        refused = case((outcomes.c.status.between(400, 498), 1), else_=0)
        query = (
            select(outcomes.c.key, outcomes.c.customer, minute, func.count(), func.sum(refused))
            .where(outcomes.c.seq > after, outcomes.c.seq <= newest)
            .where(minute >= now - (PAST_DAYS + 1) * 1440 * _MINUTE)
            .group_by(outcomes.c.key, outcomes.c.customer, minute)
            .order_by(minute)
        )
        for key, customer, at, requests, errors in connection.execute(query):
            self._habits.setdefault(key, Habit()).feed(at // _MINUTE, int(requests), int(errors))
            self._owners[key] = customer
        self._last = newest


def all_of(connection: Connection, customer: str | None, *, open_only: bool, limit: int) -> list[Alarm]:
    """Newest first."""
    query = select(alarms).order_by(alarms.c.at.desc(), alarms.c.id.desc()).limit(max(1, min(limit, 1000)))
    if customer is not None:
        query = query.where(alarms.c.customer == customer)
    if open_only:
        query = query.where(alarms.c.ended_at.is_(None))
    return [_alarm(row) for row in connection.execute(query).mappings()]


def record(connection: Connection, changes: list[Change], now: int) -> None:
    """Begin and end alarms, with a note and a message for each that begins. One that stands is not begun twice."""
    standing = {(one.key, one.kind) for one in all_of(connection, None, open_only=True, limit=1000)}
    for change in changes:
        if change.ends is not None:
            connection.execute(update(alarms).where(alarms.c.id == change.ends).values(ended_at=now))
            note(connection, "alarm.ended", change.key, now, {"customer": change.customer, "kind": change.kind})
        elif (change.key, change.kind) not in standing:
            body = canonical_json(change.data).decode()
            row = {"id": new_id("alm"), "key": change.key, "customer": change.customer, "kind": change.kind}
            connection.execute(alarms.insert().values(**row, at=now, data=body))
            told = {**row, "at": moment(now), **change.data}
            note(connection, "alarm.began", change.key, now, {"customer": change.customer, "kind": change.kind})
            tell(connection, "key.alarm", change.customer, told, now)


def _alarm(row: Any) -> Alarm:
    return Alarm(
        id=row["id"],
        key=row["key"],
        customer=row["customer"],
        kind=row["kind"],
        at=moment(row["at"]),
        ended_at=None if row["ended_at"] is None else moment(row["ended_at"]),
        data=json.loads(row["data"]),
    )
