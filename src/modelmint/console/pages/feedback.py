"""What customers say of predictions, and what visitors of the trial page left: for the founder."""

from __future__ import annotations

from starlette.routing import Route

from modelmint.console.answers import Answer, Asked, Go, Page
from modelmint.console.page import PLACE, Console, page
from modelmint.monitoring.feedback.agreement import summary

_ROWS = 50


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        page(console, "/feedback", "founder", GET=feedback),
        page(console, "/leads", "founder", GET=leads),
        page(console, "/leads/{lead}/erase", "founder", "/leads", POST=erase),
    ]


def feedback(asked: Asked) -> Answer:
    """What it comes to, and a page of it."""
    books = asked.shop.feedback
    before = asked.place("before") or None
    shown = books.page(before=before, limit=_ROWS)
    names = {one.id: one.name for one in asked.books.customers()}
    values = {"summary": summary(books), "rows": shown.rows, "more": shown.next, "names": names}
    return Page("feedback.html", values)


def leads(asked: Asked) -> Answer:
    """The newest first."""
    before = asked.query.get("before") or None
    found = asked.books.visitors.leads(before=before, limit=_ROWS + 1)
    said = asked.shop.trial_page
    values = {
        "rows": found[:_ROWS],
        "more": found[_ROWS - 1].id if len(found) > _ROWS else "",
        "open": said.enabled,
        "keep_days": said.keep_days,
        "address": f"{asked.origin}/try",
    }
    return Page("leads.html", values)


def erase(asked: Asked) -> Answer:
    """One of them."""
    asked.books.visitors.forget(asked.path["lead"])
    return Go(f"{PLACE}/leads", said="said.lead_erased")
