"""A month of ten million usage events of a thousand customers, with tiers and a ``unique`` meter: rated and closed.

Filled through ``meters.record``, as senders would, a batch a customer; closed by a process of its own, so that
its memory is its own. ``MODELMINT_BENCH_EVENTS`` makes it smaller.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.harness import Bench, table
from modelmint.commerce.metering.cloudevents import USAGE
from modelmint.commerce.metering.types import UsageEvent
from modelmint.kit.clock import ManualClock
from modelmint.store.open import open_books
from modelmint.testing.books import some_plans

EVENTS = int(os.environ.get("MODELMINT_BENCH_EVENTS", "10000000"))
CUSTOMERS = 1000
BEGAN, ENDED = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, 6, tzinfo=UTC)
#: A fee, three tiers over one meter, and the different people of another.
PLAN: dict[str, Any] = {
    "monthly": "20 USD",
    "charges": [
        {
            "meter": "pages",
            "tiers": [
                {"up_to": 1000, "price": "0 USD"},
                {"up_to": 5000, "price": "0.01 USD"},
                {"price": "0.004 USD"},
            ],
        },
        {"meter": "people", "aggregate": "unique", "price": "0.5 USD"},
    ],
}


def run(bench: Bench) -> None:
    """Measure and print."""
    record = bench.measure("month", f"sqlite-{EVENTS}", _work)
    closed = record["closed"]
    steps = ((f"{EVENTS:,} events recorded", record["filled"]), (f"{CUSTOMERS:,} customers rated and closed", closed))
    rows = [(name, f"{one['wall']:,.2f}", f"{one['cpu']:,.2f}", f"{one['rss_mb']:,.0f}") for name, one in steps]
    table("A month, SQLite", ("what", "wall s", "CPU s", "peak MB"), rows, [record])
    print(f"{closed['invoices']:,} invoices, {closed['lines']:,} lines, {closed['total']}")


def _work(folder: Path) -> dict[str, Any]:
    with TemporaryDirectory(dir=folder) as place:
        url = f"sqlite:///{place}/books.sqlite"
        return {"filled": _alone("fill", url), "closed": _alone("close", url), "events": EVENTS}


def _alone(step: str, url: str) -> dict[str, Any]:
    """The step in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "bench.month", step, url], stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def fill(url: str) -> dict[str, Any]:
    """Every customer's month."""
    clock = ManualClock(BEGAN)
    books = open_books(url, clock)
    books.put_plans(some_plans({"fleet": PLAN}))
    names = []
    for number in range(CUSTOMERS):
        names.append(books.add_customer(f"Customer {number}", "").id)
        books.subscribe(names[-1], "fleet")
    clock.at = ENDED - timedelta(hours=12)
    each = EVENTS // CUSTOMERS
    for name in names:
        books.meters.record(name, "key", list(_events(each)))
    books.close()
    return {"events": each * CUSTOMERS}


def _events(count: int) -> Iterator[UsageEvent]:
    """One in four names a person; times lie all over the month."""
    step = (ENDED - timedelta(hours=12) - BEGAN) // count
    for number in range(count):
        meter, value = ("people", f"person-{number % 1999}") if number % 4 == 0 else ("pages", None)
        yield UsageEvent(
            "/fleet", f"{number:08d}", USAGE, BEGAN + step * number, meter, Decimal(number % 400) / 100, value,
            model=f"m{number % 2}",
        )  # fmt: skip


def close(url: str) -> dict[str, Any]:
    """Every customer's November, one short transaction each."""
    clock = ManualClock(ENDED)
    books = open_books(url, clock)
    invoices = books.bills.close_due("").invoices
    totals = sum(invoice.total.minor for invoice in invoices)
    books.close()
    lines = sum(len(invoice.lines) for invoice in invoices)
    return {"invoices": len(invoices), "lines": lines, "total": f"{totals / 100:,.2f} USD"}


def main() -> None:
    """One step in this process; prints what it took."""
    step, url = sys.argv[1], sys.argv[2]
    cpu, wall = time.process_time(), time.perf_counter()
    found = {"fill": fill, "close": close}[step](url)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rss_mb = rss / 1024 if sys.platform != "darwin" else rss / 2**20
    print(json.dumps({**found, "wall": wall, "cpu": cpu, "rss_mb": rss_mb}))


if __name__ == "__main__":
    main()
