"""Usage events in batches: recorded durably into both databases, beside bare commits; and what reading them costs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from bench.harness import Bench, table
from bench.postgres import own_postgres
from modelmint.commerce.metering.bodies import BATCH, events_in
from modelmint.commerce.metering.cloudevents import USAGE, present
from modelmint.commerce.metering.types import UsageEvent
from modelmint.store.database import Database
from modelmint.store.open import open_books
from modelmint.testing.books import a_caller

SIZE = 10_000
BATCHES = 30
COMMITS = 300


def run(bench: Bench) -> None:
    """Measure and print."""
    records = [bench.measure("events", "sqlite", _sqlite)]
    postgres = bench.measure("events", "postgresql", _postgres)
    records += [postgres] if postgres["wall"] else []
    rows = []
    for record, name in zip(records, ("SQLite", "PostgreSQL"), strict=False):
        for one in record["levels"]:
            cells = (f"{one['events']:,}", f"{one['a_second']:,.0f}", f"{one['us_cpu']:.1f}")
            rows.append((f"{name}: {one['name']}", *cells))
        rows.append((f"{name}: bare one-row commits, synced", f"{COMMITS:,}", f"{record['bare']:,.0f}", ""))
    columns = ("usage events", "n", "a second", "CPU us each")
    table(f"Usage events, one sender, batches of {SIZE:,}", columns, rows, records)


def _sqlite(folder: Path) -> dict[str, Any]:
    with TemporaryDirectory(dir=folder) as place:
        return _measured(f"sqlite:///{place}/books.sqlite")


def _postgres(folder: Path) -> dict[str, Any]:  # noqa: ARG001 - the server makes its own
    with own_postgres() as url:
        return {"wall": 0} if url is None else _measured(url)


def _measured(url: str) -> dict[str, Any]:
    books = open_books(url)
    caller = a_caller(books)
    customer, key = caller.customer.id, caller.key.id
    began = books.now()
    counted = iter(range(10**9))

    def events(name: Callable[[], str], *, unique: bool = False) -> list[UsageEvent]:
        """Of one job: 8 models and states, quantities with decimals."""
        made = []
        for number in range(SIZE):
            value = f"device-{number % 997}" if unique else None
            made.append(
                UsageEvent("/jobs/night", name(), USAGE, began + timedelta(microseconds=number), "tokens",
                           Decimal(number % 5000) / 100, value, model=f"m{number % 4}", variant="int8",
                           state="abstained" if number % 8 == 0 else "ok")
            )  # fmt: skip
        return made

    def level(name: str, batches: Sequence[Sequence[Any]], work: Callable[[Any], Any]) -> dict[str, Any]:
        cpu, wall = time.process_time(), time.perf_counter()
        for batch in batches:
            work(batch)
        wall, cpu, n = time.perf_counter() - wall, time.process_time() - cpu, sum(len(batch) for batch in batches)
        return {"name": name, "events": n, "a_second": n / wall, "us_cpu": cpu / n * 1e6, "wall": wall}

    def record(batch: Sequence[UsageEvent]) -> None:
        assert books.meters.record(customer, key, batch).accepted in (len(batch), 0)

    numbered = [events(lambda: f"job-{next(counted):09d}") for _ in range(BATCHES)]
    levels = [
        level("ids counted up", numbered, record),
        level("random ids", [events(lambda: str(uuid4())) for _ in range(BATCHES)], record),
        level("with a value of a unique meter", [events(lambda: str(uuid4()), unique=True) for _ in range(6)], record),
        level("sent again, all known", numbered[:6], record),
    ]
    bodies = [json.dumps([present(event) for event in batch]).encode() for batch in numbered[:3]]
    now = books.now()
    read = level(
        "read and checked from JSON, not stored", [range(SIZE)] * 3, lambda _: events_in(BATCH, {}, bodies[0], now)
    )
    books.close()
    return {"levels": [*levels, read], "bare": _bare(url), "wall": sum(one["wall"] for one in levels)}


def _bare(url: str) -> float:
    """What this disk and database do by themselves: one row, one transaction, synced; a second."""
    database = Database(url)
    connection = database.driver_connection()
    connection.execute("CREATE TABLE bare_row (at BIGINT)")
    began = time.perf_counter()
    for number in range(COMMITS):
        connection.execute(f"INSERT INTO bare_row VALUES ({number})")
    spent = time.perf_counter() - began
    connection.close()
    database.close()
    return COMMITS / spent
