"""Who did what, and keys that behave unlike themselves."""

from __future__ import annotations

from starlette.routing import Route

from modelmint.console.answers import Answer, Asked, Page
from modelmint.console.page import Console, page
from modelmint.kit.canonical import canonical_json

PAGE_ROWS = 100


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        page(console, "/audit", "founder", GET=audit),
        page(console, "/alarms", "founder", GET=alarms),
    ]


def audit(asked: Asked) -> Answer:
    """The append-only log, newest first, of one subject or actor where asked."""
    before = asked.place("before")
    subject, actor = asked.query.get("subject", "").strip(), asked.query.get("actor", "").strip()
    found = asked.books.people.audit(subject or None, None, actor=actor or None, before=before or None, limit=PAGE_ROWS)
    rows = [(entry, canonical_json(entry.data).decode() if entry.data else "") for entry in found]
    names = {f"customer:{customer.id}": customer.name for customer in asked.books.customers()}
    more = found[-1].seq if len(found) == PAGE_ROWS else 0
    return Page("audit.html", {"rows": rows, "more": more, "subject": subject, "actor": actor, "names": names})


def alarms(asked: Asked) -> Answer:
    """Open and past."""
    keys = {key.id: key for key in asked.books.keys(None)}
    names = {customer.id: customer.name for customer in asked.books.customers()}
    rows = [(alarm, canonical_json(alarm.data).decode()) for alarm in asked.books.people.alarms()]
    return Page("alarms.html", {"rows": rows, "keys": keys, "names": names})
