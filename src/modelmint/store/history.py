"""What is written beside a change, in its transaction: the audit log, and the messages that webhooks carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from modelmint.commerce.people.actor import actor
from modelmint.kit.canonical import canonical_json
from modelmint.kit.ids import new_id
from modelmint.store.schema import audit, messages


def note(connection: Connection, action: str, subject: str, now: int, data: Mapping[str, Any] | None = None) -> None:
    """Whoever acts did ``action`` (``key.revoked``) to ``subject`` (an id). ``data`` holds no personal data."""
    body = canonical_json(data or {}).decode()
    row = {"at": now, "actor": actor(), "action": action, "subject": subject, "data": body}
    connection.execute(audit.insert(), row)


def tell(connection: Connection, kind: str, customer: str | None, body: Mapping[str, Any], now: int) -> None:
    """Something that webhooks may want to hear (``invoice.finalised``); sent by the worker, at least once."""
    text = canonical_json(body).decode()
    row = {"id": new_id("msg"), "kind": kind, "customer": customer, "body": text, "at": now}
    connection.execute(messages.insert(), row)
