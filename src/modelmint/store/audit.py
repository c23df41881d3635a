"""The audit log, read. It is written by ``history.note`` beside each change."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection, or_, select

from modelmint.commerce.moments import micros, moment
from modelmint.commerce.names import is_id
from modelmint.commerce.people.types import AuditEntry
from modelmint.store.schema import audit

#: Entries of one page, at most.
LARGEST_PAGE = 1000


def entries(
    connection: Connection,
    subject: str | None,
    since: datetime | None,
    actor: str | None,
    before: int | None,
    limit: int,
) -> list[AuditEntry]:
    """Newest first; of a customer also what concerns its keys and the like."""
    query = select(audit).order_by(audit.c.seq.desc()).limit(max(1, min(limit, LARGEST_PAGE)))
    if subject is not None:
        within = audit.c.data.contains(f'"customer":"{subject}"', autoescape=True)  # a customer's keys, partner, ...
        query = query.where(or_(audit.c.subject == subject, within) if is_id(subject) else audit.c.subject == subject)
    if since is not None:
        query = query.where(audit.c.at >= micros(since))
    if actor is not None:
        query = query.where(audit.c.actor == actor)
    if before is not None:
        query = query.where(audit.c.seq < before)
    return [
        AuditEntry(row["seq"], moment(row["at"]), row["actor"], row["action"], row["subject"], json.loads(row["data"]))
        for row in connection.execute(query).mappings()
    ]
