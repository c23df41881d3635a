"""Keys, the audit log, erasure, alarms."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from modelmint.commerce.moments import micros
from modelmint.commerce.people.terms import OVERLAP
from modelmint.commerce.people.types import INPUTS, Alarm, AuditEntry, Erasure
from modelmint.commerce.types import Key
from modelmint.kit.clock import Clock
from modelmint.store import alarms, audit, consents, erasure, history, keys, people
from modelmint.store.database import Database


class SqlPeople:
    """``commerce.people.repository.People`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._watch = alarms.Watch()

    def key(self, key: str) -> Key:
        with self._database.read() as connection:
            return keys.key(connection, key)

    def rotate(self, key: str, overlap: timedelta = OVERLAP, *, expires_at: datetime | None = None) -> tuple[Key, str]:
        with self._database.write() as connection:
            return keys.rotate(connection, key, overlap, self._now(), expires_at)

    def audit(
        self,
        subject: str | None = None,
        since: datetime | None = None,
        *,
        actor: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        with self._database.read() as connection:
            return audit.entries(connection, subject, since, actor, before, limit)

    def note(self, action: str, subject: str, data: Mapping[str, str]) -> None:
        with self._database.write() as connection:
            history.note(connection, action, subject, self._now(), data)

    def erase(self, customer: str, *, force: bool = False) -> Erasure:
        with self._database.write(thorough=True) as connection:
            found = people.customer(connection, customer)
            done = erasure.erase(connection, found, self._now(), force=force)
        return replace(done, scrubbed=self._database.scrub(erasure.HELD))

    def digest(self, key: str) -> str:
        with self._database.read() as connection:
            return keys.digest_of(connection, key)

    def consents(self, customer: str, subject: str = INPUTS) -> bool:
        with self._database.read() as connection:
            return consents.given(connection, people.customer(connection, customer).id, subject)

    def consenting(self, subject: str = INPUTS, among: Collection[str] | None = None) -> set[str]:
        with self._database.read() as connection:
            return consents.all_given(connection, subject, among)

    def set_consent(self, customer: str, yes: bool, subject: str = INPUTS) -> bool:
        with self._database.write() as connection:
            found = (people.living if yes else people.customer)(connection, customer)
            return consents.set_to(connection, found.id, subject, yes, self._now())

    def alarms(self, customer: str | None = None, *, open_only: bool = False, limit: int = 100) -> list[Alarm]:
        with self._database.read() as connection:
            owner = None if customer is None else people.customer(connection, customer).id
            return alarms.all_of(connection, owner, open_only=open_only, limit=limit)

    def watch(self) -> int:
        now = self._now()
        with self._database.read() as connection:
            changes = self._watch.look(connection, now)
        if changes:
            with self._database.write() as connection:
                alarms.record(connection, changes, now)
        return len(changes)

    def _now(self) -> int:
        return micros(self._clock.now())
