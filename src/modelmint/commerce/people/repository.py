"""What people needs stored; ``store`` implements it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from modelmint.commerce.people.terms import OVERLAP
from modelmint.commerce.people.types import INPUTS, Alarm, AuditEntry, Erasure
from modelmint.commerce.types import Key


class People(Protocol):
    """Keys, the audit log, erasure, alarms. ``customer`` is an id or an exact name."""

    def key(self, key: str) -> Key:
        """By id; raises ``UnknownKey``."""
        ...

    def rotate(self, key: str, overlap: timedelta = OVERLAP, *, expires_at: datetime | None = None) -> tuple[Key, str]:
        """A new key with the same name and scopes, and its secret; the former ends after ``overlap``.

        The new key ends when the former would have, unless ``expires_at`` says otherwise. Raises ``UnknownKey``,
        ``KeyEnded``, ``BadExpiry``.
        """
        ...

    def audit(
        self,
        subject: str | None = None,
        since: datetime | None = None,
        *,
        actor: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """Newest first; ``before`` is the ``seq`` at which the former page ended."""
        ...

    def note(self, action: str, subject: str, data: Mapping[str, str]) -> None:
        """Write into the audit log what changes nothing else, like a sign-in; ``data`` holds nothing personal."""
        ...

    def erase(self, customer: str, *, force: bool = False) -> Erasure:
        """Forget a person: personal data goes, the books stand under a pseudonym. Cannot be undone.

        Raises ``ErasureWaits`` while something is unbilled or owed, unless forced. Twice changes nothing.
        """
        ...

    def digest(self, key: str) -> str:
        """What a call on this key presents: sha256 of its secret, hex. For calls that a page makes for its reader.

        Raises ``UnknownKey``.
        """
        ...

    def consents(self, customer: str, subject: str = INPUTS) -> bool:
        """Whether the customer agrees now; silence is no."""
        ...

    def consenting(self, subject: str = INPUTS, among: Collection[str] | None = None) -> set[str]:
        """Ids of the customers who agree now."""
        ...

    def set_consent(self, customer: str, yes: bool, subject: str = INPUTS) -> bool:
        """Agree, or take it back; whether that is a change. Raises ``CustomerErased`` for agreeing."""
        ...

    def alarms(self, customer: str | None = None, *, open_only: bool = False, limit: int = 100) -> list[Alarm]:
        """Newest first."""
        ...

    def watch(self) -> int:
        """Compare each key's last minutes with its own last days; how many alarms began or ended."""
        ...
