"""Key check, admission and metering alone, in one process, beside what the database does by itself.

Ours and the bare commits are measured in turns, so that both meet the same machine: with one client a bare commit
follows each paid call, so that each finds disk and caches as the other left them. One client waits for each settlement
to be durable before its next call; so do 64, each on a thread of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from bench.bare import Bare, BareGroups
from bench.harness import Bench, table
from bench.postgres import own_postgres
from modelmint.cli.demo.calls import quantile
from modelmint.commerce.repository import Books
from modelmint.commerce.types import AdmissionRequest, Settlement
from modelmint.store.open import open_books
from modelmint.testing.books import a_caller

#: Calls of one client, and before the clock runs.
ALONE, WARM = 2000, 400
#: Turns of many clients, and calls in a turn.
TURNS = 5
CLIENTS = 64
TOGETHER = 3200
#: What the issue asks for: one client against a bare commit, 64 against the bound, CPU milliseconds per call.
P50, P99, SHARE, CPU = 1.5, 3.0, 0.7, 0.15


def run(bench: Bench) -> None:
    """Measure and print."""
    records = [bench.measure("metering", "sqlite", _sqlite), bench.measure("metering", "postgresql", _postgres)]
    for record, name in zip(records, ("SQLite", "PostgreSQL"), strict=True):
        if record["alone"]:
            _print(record, name)


def _print(record: dict[str, Any], name: str) -> None:
    alone, bare, many, bound = record["alone"], record["bare"], record["together"], record["bound"]
    rows = [
        ("one client: bare one-row commits, synced", *_cells(bare)),
        ("one client: paid calls", *_cells(alone)),
        (f"{CLIENTS} clients: bare rows, group commit", *_cells(bound)),
        (f"{CLIENTS} clients: paid calls", *_cells(many)),
    ]
    columns = (name, "n", "a second", "p50 ms", "p99 ms", "CPU ms each")
    table("Key check, admission and metering, durable, without HTTP and model", columns, rows, [record])
    print(
        f"one call / bare commit: p50 {alone['p50_ms'] / bare['p50_ms']:.2f} (at most {P50}), "
        f"p99 {alone['p99_ms'] / bare['p99_ms']:.2f} (at most {P99}); {CLIENTS} clients / bound: "
        f"{many['a_second'] / bound['a_second']:.0%} (at least {SHARE:.0%}); CPU {many['cpu_ms']:.3f} ms "
        f"(at most {CPU})",
        flush=True,
    )


def _cells(level: dict[str, Any]) -> tuple[str, ...]:
    figures = (f"{level['p50_ms']:.3f}", f"{level['p99_ms']:.3f}", f"{level['cpu_ms']:.3f}")
    return (f"{level['calls']:,}", f"{level['a_second']:,.0f}", *figures)


def _sqlite(folder: Path) -> dict[str, Any]:
    with TemporaryDirectory(dir=folder) as place:
        return _measured(f"sqlite:///{place}/books.sqlite")


def _postgres(folder: Path) -> dict[str, Any]:  # noqa: ARG001 - the server makes its own
    with own_postgres() as url:
        return {"alone": None} if url is None else _measured(url)


def _measured(url: str) -> dict[str, Any]:
    books = open_books(url)
    digests = [a_caller(books, name=f"Clinic {number}").digest for number in range(8)]
    bare = Bare(url)
    groups = BareGroups(bare, url)
    one = _caller(books, digests[0])
    alone, single = _Level(), _Level()
    for number in range(WARM + ALONE):
        if number == WARM:
            alone, single = _Level(), _Level()
        alone.once(one)
        single.once(bare.commit_one)
    many, bound = _Level(), _Level()
    callers = [_caller(books, digests[number % len(digests)]) for number in range(CLIENTS)]
    for _ in range(TURNS):
        bound.turn(CLIENTS, TOGETHER, [groups.call])
        many.turn(CLIENTS, TOGETHER, callers)
    groups.close()
    bare.close()
    books.close()
    return {"bare": single.found(), "alone": alone.found(), "bound": bound.found(), "together": many.found()}


def _caller(books: Books, digest: str) -> Callable[[], object]:
    request = AdmissionRequest(digest, "reader", 1, 1)
    compute = Decimal("0.1")

    def call() -> object:
        admitted = books.reserve(request).decided.result()
        done = Settlement(admitted.reservation, 200, "ok", "release", "int8", "prediction", 1, 1, compute)
        return books.settle(done, here=True).result()

    return call


class _Level:
    """Turns of one kind of call, added up."""

    def __init__(self) -> None:
        self._walls: list[float] = []
        self._rates: list[float] = []
        self._cpu = 0.0

    def once(self, call: Callable[[], object]) -> None:
        """One call on this thread."""
        cpu, start = time.process_time(), time.perf_counter()
        call()
        wall = time.perf_counter() - start
        self._cpu += time.process_time() - cpu
        self._walls.append(wall * 1000)
        self._rates.append(1 / wall)

    def turn(self, clients: int, calls: int, work: Sequence[Callable[[], object]]) -> None:
        """``calls`` calls by so many threads; the threads are there before the clock runs."""
        barrier = threading.Barrier(clients + 1)
        walls: list[list[float]] = [[] for _ in range(clients)]

        def client(number: int) -> None:
            mine, call = walls[number], work[number % len(work)]
            barrier.wait()
            for _ in range(calls // clients):
                start = time.perf_counter()
                call()
                mine.append(time.perf_counter() - start)

        threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        barrier.wait()
        cpu, began = time.process_time(), time.perf_counter()
        for thread in threads:
            thread.join()
        self._rates.append(calls / (time.perf_counter() - began))
        self._cpu += time.process_time() - cpu
        self._walls += [wall * 1000 for mine in walls for wall in mine]

    def found(self) -> dict[str, Any]:
        """Quantiles over all turns, the median rate of them."""
        return {
            "calls": len(self._walls),
            "a_second": median(self._rates),
            "p50_ms": quantile(self._walls, 0.5),
            "p99_ms": quantile(self._walls, 0.99),
            "cpu_ms": self._cpu * 1000 / len(self._walls),
        }
