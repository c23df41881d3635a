"""Referral codes: given out, looked up, withdrawn; never used again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update

from modelmint.commerce.channels.codes import checked_channel, checked_code
from modelmint.commerce.channels.errors import ReferralExists, UnknownReferral
from modelmint.commerce.channels.types import Referral
from modelmint.commerce.moments import moment
from modelmint.store.history import note
from modelmint.store.schema import referrals


def add(connection: Connection, code: str, channel: str, partner: str | None, now: int) -> Referral:
    """Raises ``BadReferral``, ``ReferralExists``."""
    code = checked_code(code)
    row = {"code": code, "channel": checked_channel(channel), "partner": partner, "created_at": now}
    if _row(connection, code) is not None:
        raise ReferralExists(f"the code {code!r} was given out before; choose another")
    connection.execute(referrals.insert().values(row))
    note(connection, "referral.added", code, now, {"channel": channel, "partner": partner})
    return _referral({**row, "withdrawn_at": None})


def all_of(connection: Connection, partner: str | None = None) -> list[Referral]:
    """Oldest first."""
    query = select(referrals).order_by(referrals.c.created_at, referrals.c.code)
    if partner is not None:
        query = query.where(referrals.c.partner == partner)
    return [_referral(row) for row in connection.execute(query).mappings()]


def valid(connection: Connection, code: str, partner: str | None = None) -> Referral:
    """What ``code`` says; raises ``UnknownReferral`` for one that was never given out or was withdrawn.

    ``partner``: then somebody else's is as good as none.
    """
    row = _row(connection, code.strip().upper())
    if row is None or row["withdrawn_at"] is not None or partner not in (None, row["partner"]):
        raise UnknownReferral(f"no referral code {code[:60]!r} is valid; check its spelling, or leave it out")
    return _referral(row)


def withdraw(connection: Connection, code: str, now: int) -> Referral:
    """Nobody comes with it any more; who came stays attributed. Twice keeps the first moment."""
    wanted = code.strip().upper()
    changed = connection.execute(
        update(referrals).where(referrals.c.code == wanted, referrals.c.withdrawn_at.is_(None)).values(withdrawn_at=now)
    )
    row = _row(connection, wanted)
    if row is None:
        raise UnknownReferral(f"no referral code {code[:60]!r} was ever given out")
    if changed.rowcount:
        note(connection, "referral.withdrawn", wanted, now, {"channel": row["channel"], "partner": row["partner"]})
    return _referral(row)


def _row(connection: Connection, code: str) -> Any:
    return connection.execute(select(referrals).where(referrals.c.code == code)).mappings().first()


def _referral(row: Any) -> Referral:
    withdrawn = row["withdrawn_at"]
    return Referral(
        code=row["code"],
        channel=row["channel"],
        partner=row["partner"],
        created_at=moment(row["created_at"]),
        withdrawn_at=None if withdrawn is None else moment(withdrawn),
    )
