"""The founder's first page: what came in, what is owed, what wants attention."""

from __future__ import annotations

from collections import Counter

from starlette.routing import Route

from modelmint.console.answers import Answer, Asked, Page
from modelmint.console.page import Console, page


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [page(console, "/overview", "founder", GET=overview)]


def overview(asked: Asked) -> Answer:
    """The page."""
    calls: Counter[str] = Counter()
    for (_, status, _), count in asked.books.counts().items():
        calls["good" if status == 200 else "other"] += count
    return Page("overview.html", {"calls": calls, "customers": len(asked.books.customers())})
