"""The ledger: balances, entries, and the check that names the first broken row."""

from __future__ import annotations

from itertools import islice

from starlette.routing import Route

from modelmint.commerce.ledger.tables import ENTRIES, entry_rows
from modelmint.commerce.ledger.types import Verdict
from modelmint.console.answers import Answer, Asked, Download, Page
from modelmint.console.page import Console, page
from modelmint.kit.csv_text import csv_lines
from modelmint.kit.money import Money
from modelmint.kit.period import month_of, parse_month

PAGE_ROWS = 100


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        page(console, "/ledger", "founder", GET=ledger),
        page(console, "/ledger/check", "founder", "/ledger", POST=check),
        page(console, "/ledger/export", "founder", GET=export),
    ]


def ledger(asked: Asked, verdict: Verdict | None = None, deep: bool = False) -> Answer:
    """Entries of one month, in the order of booking, and all balances."""
    journal = asked.books.journal
    month = parse_month(asked.query["month"]) if "month" in asked.query else month_of(asked.books.now())
    account = asked.query.get("account") or None
    after = asked.place("after")
    rows = list(islice(journal.entries(month, account, after), PAGE_ROWS + 1))
    place, head = journal.head()
    values = {
        "rows": rows[:PAGE_ROWS],
        "more": rows[PAGE_ROWS - 1].seq if len(rows) > PAGE_ROWS else 0,
        "month": f"{month.start:%Y-%m}",
        "account": account or "",
        "balances": balances(asked),
        "place": place,
        "head": head,
        "verdict": verdict,
        "deep": deep,
    }
    return Page("ledger.html", values)


def balances(asked: Asked) -> list[tuple[str, Money]]:
    """Accounts that are not even, by name."""
    found = asked.books.journal.balances()
    return [(account, money) for (account, _), money in sorted(found.items()) if money.minor]


def check(asked: Asked) -> Answer:
    """Read everything again; ``deep`` adds up every call and event too, ``noted`` is a head noted earlier."""
    deep = asked.form.get("deep") == "on"
    verdict = asked.books.journal.verify(raw=deep, noted=asked.form.get("noted", "").strip() or None)
    return ledger(asked, verdict, deep)


def export(asked: Asked) -> Answer:
    """The entries of one month as CSV."""
    month = parse_month(asked.query.get("month", ""))
    header = [column.name for column in ENTRIES]
    rows = entry_rows(asked.books.journal.entries(month, asked.query.get("account") or None))
    content = "".join(csv_lines(header, rows)).encode()
    return Download(content, "text/csv", f"ledger-{month.start:%Y-%m}.csv")
