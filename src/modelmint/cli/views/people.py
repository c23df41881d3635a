"""Keys, the audit log and alarms as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from modelmint.cli.types import Column, TableView
from modelmint.cli.views.selling import minute
from modelmint.commerce.people.abuse import RATE
from modelmint.commerce.people.types import Alarm, AuditEntry
from modelmint.commerce.types import Key
from modelmint.sdk.views.figures import DASH, count


def keys_view(keys: Sequence[Key], names: Mapping[str, str], now: datetime) -> TableView:
    """``names``: customer id -> name. The secret is not known to anybody any more; the hint is its beginning."""
    rows = tuple(
        (
            f"{key.hint}...",
            names.get(key.customer, key.customer),
            key.name,
            ", ".join(key.scopes),
            _state(key, now),
            minute(key.last_used_at),
            key.id,
        )
        for key in keys
    )
    marks = {index: "bad" for index, key in enumerate(keys) if _has_ended(key, now)}
    columns = (
        Column("key"), Column("customer"), Column("name"), Column("may"), Column("state"), Column("last used"),
        Column("id"),
    )  # fmt: skip
    return TableView(count(len(keys), "key"), columns, rows, marks)


def _has_ended(key: Key, now: datetime) -> bool:
    return key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now)


def _state(key: Key, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked " + minute(key.revoked_at)
    if key.expires_at is None:
        return "valid"
    return ("expired " if _has_ended(key, now) else "valid until ") + minute(key.expires_at)


def audit_view(entries: Sequence[AuditEntry]) -> TableView:
    """Newest first."""
    rows = tuple((minute(one.at), one.actor, one.action, one.subject, _said(one.data), str(one.seq)) for one in entries)
    columns = (
        Column("when"), Column("who"), Column("what"), Column("to"), Column("with"), Column("seq", True),
    )  # fmt: skip
    return TableView(count(len(entries), "entry", "entries"), columns, rows, {})


def _said(data: Mapping[str, object]) -> str:
    shown = {name: value for name, value in data.items() if value not in (None, "", [])}
    return ", ".join(f"{name} {value}" for name, value in shown.items()) or DASH


def alarms_view(alarms: Sequence[Alarm], names: Mapping[str, str]) -> TableView:
    """Newest first; an open one stands out."""
    rows = tuple(
        (
            minute(one.at),
            minute(one.ended_at) if one.ended_at else "open",
            names.get(one.customer, one.customer),
            one.key,
            one.kind,
            _figures(one),
        )
        for one in alarms
    )
    marks = {index: "alarm" for index, one in enumerate(alarms) if one.ended_at is None}
    columns = (Column("since"), Column("until"), Column("customer"), Column("key"), Column("kind"), Column("figures"))
    return TableView(count(len(alarms), "alarm"), columns, rows, marks)


def _figures(alarm: Alarm) -> str:
    data = alarm.data
    if alarm.kind == RATE:
        return f"{data['requests']:,} requests in {data['minutes']} minutes, usual at most {data['usual']:,}"
    usual = data["usual_permille"]
    known = "usual share not known" if usual is None else f"usually {usual} of 1,000"
    return f"{data['errors']:,} of {data['requests']:,} refused in {data['minutes']} minutes, {known}"
