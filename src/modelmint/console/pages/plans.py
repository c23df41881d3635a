"""What is on sale, and every version that ever was, with its terms in words."""

from __future__ import annotations

from starlette.routing import Route

from modelmint.commerce.offers import API
from modelmint.commerce.plan_terms import terms_of
from modelmint.console.answers import Answer, Asked, Go, Page
from modelmint.console.page import PLACE, Console, page


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        page(console, "/plans", "founder", GET=plans),
        page(console, "/plans/withdraw", "founder", "/plans", POST=withdraw),
    ]


def plans(asked: Asked) -> Answer:
    """On sale first, then those to come, then the rest, newest first."""
    language = asked.words.language
    found = [(version, terms_of(version.plan, language)) for version in reversed(asked.books.plan_versions())]
    on_sale = [row for row in found if row[0].on_sale]
    to_come = [row for row in found if row[0].effective_at is not None]
    past = [row for row in found if not row[0].on_sale and row[0].effective_at is None]
    return Page("plans.html", {"on_sale": on_sale, "to_come": to_come, "past": past, "by_api": API})


def withdraw(asked: Asked) -> Answer:
    """Nobody can take it any more; who holds it keeps it. Raises ``PlanInFile``."""
    asked.books.withdraw_plan(asked.text("plan"))
    return Go(f"{PLACE}/plans", said="said.withdrawn")
