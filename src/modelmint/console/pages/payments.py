"""What was tried to collect invoices, newest first."""

from __future__ import annotations

from starlette.routing import Route

from modelmint.console.answers import Answer, Asked, Page
from modelmint.console.page import Console, page


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [page(console, "/payments", "founder", GET=payments)]


def payments(asked: Asked) -> Answer:
    """Attempts with the invoices that they are for."""
    attempts = asked.books.payments.attempts()
    numbers = {attempt.invoice: asked.books.invoice(attempt.invoice).number for attempt in attempts}
    return Page("payments.html", {"rows": attempts, "numbers": numbers})
