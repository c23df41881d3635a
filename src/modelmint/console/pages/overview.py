"""The founder's first page: what came in this month, what is owed, what wants attention."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import Route

from modelmint.console.answers import Answer, Asked, Page
from modelmint.console.chart import by_day
from modelmint.console.page import Console, page
from modelmint.kit.money import Money
from modelmint.kit.period import month_of

LATEST = 5


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [page(console, "/overview", "founder", GET=overview)]


def overview(asked: Asked) -> Answer:
    """The page; money from the ledger, calls from what was metered."""
    books = asked.books
    month = month_of(books.now())
    days: dict[str, int] = {}
    for row in books.meters.table(None, month, ("day",)):
        if row.meter == "calls":
            days[row.day] = days.get(row.day, 0) + int(row.quantity)
    statuses = books.bills.statuses(None)
    revenue = (-entry.amount for entry in books.journal.entries(month) if entry.account.startswith("revenue:"))
    owed = (amount for (account, _), amount in books.journal.balances().items() if account.startswith("receivable:"))
    values = {
        "month": f"{month.start:%Y-%m}",
        "revenue": summed(revenue),
        "owed": summed(owed),
        "calls": sum(days.values()),
        "customers": len(books.customers()),
        "open_invoices": sum(status == "finalised" for status in statuses.values()),
        "alarms": books.people.alarms(open_only=True),
        "chart": by_day(days, month.start.date(), month.end.date()),
        "latest": books.people.audit(limit=LATEST),
        "names": {f"customer:{customer.id}": customer.name for customer in books.customers()},
    }
    return Page("overview.html", values)


def summed(amounts: Iterable[Money]) -> list[Money]:
    """One sum for each currency that is not even."""
    sums: dict[str, Money] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, Money(0, amount.currency)) + amount
    return [money for money in sums.values() if money.minor]
