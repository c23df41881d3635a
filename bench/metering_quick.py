"""Reserve + settle through the real books: CPU per pair, pairs a second, beside the machine's bare commit rate.

Run: python bench/metering_quick.py [--folder DIR] [--pairs N] [--url postgresql+psycopg://...]
Closed loop: each client waits for its settlement to be durable before its next call.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import tempfile
import threading
import time
from pathlib import Path

from modelmint.commerce.catalog import plans_from
from modelmint.commerce.types import AdmissionRequest, Settlement
from modelmint.kit.digest import digest_bytes
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.venture.sections.plans import PlanSection


def bare_syncs(folder: Path, n: int = 300) -> float:
    """4 KiB appended and fdatasync'd, a second."""
    file = os.open(folder / "bare.bin", os.O_CREAT | os.O_WRONLY)
    block = b"x" * 4096
    start = time.perf_counter()
    for position in range(n):
        os.pwrite(file, block, 4096 * position)
        os.fdatasync(file)
    spent = time.perf_counter() - start
    os.close(file)
    return n / spent


def bare_commits(folder: Path, n: int = 300) -> dict[str, float]:
    """One-row transactions of SQLite itself, WAL and synchronous=FULL."""
    connection = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
    times = []
    for _ in range(n):
        start = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t (a) VALUES ('0123456789abcdef')")
        connection.execute("COMMIT")
        times.append(time.perf_counter() - start)
    connection.close()
    return {"per_second": n / sum(times), **_quantiles(times)}


def _quantiles(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"p50_ms": 1e3 * ordered[len(ordered) // 2], "p99_ms": 1e3 * ordered[int(len(ordered) * 0.99)]}


def drive(books: SqlBooks, digests: list[str], clients: int, pairs: int) -> dict[str, float]:
    """``pairs`` calls from ``clients`` threads."""
    each = pairs // clients
    times: list[float] = []

    def client(number: int) -> None:
        request = AdmissionRequest(digests[number % len(digests)], "model", 1, 1)
        mine = []
        for _ in range(each):
            start = time.perf_counter()
            ticket = books.reserve(request)
            admitted = ticket.decided.result()
            books.settle(Settlement(admitted.reservation, 200, "ok", "release", "int8", "prediction", 1, 1)).result()
            mine.append(time.perf_counter() - start)
        times.extend(mine)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    cpu, start = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    done = each * clients
    return {
        "clients": clients,
        "pairs_per_second": done / wall,
        "cpu_ms_per_pair": 1e3 * cpu / done,
        **_quantiles(times),
    }


def pipelined(books: SqlBooks, digest: str, pairs: int, depth: int = 64) -> dict[str, float]:
    """One thread that keeps ``depth`` calls in flight, as an event loop does: no thread switch per call."""
    request = AdmissionRequest(digest, "model", 1, 1)
    cpu, start = time.process_time(), time.perf_counter()
    for _ in range(pairs // depth):
        tickets = [books.reserve(request) for _ in range(depth)]
        admitted = [ticket.decided.result() for ticket in tickets]
        ends = [books.settle(Settlement(a.reservation, 200, "ok", "r", "int8", "p", 1, 1)) for a in admitted]
        for end in ends:
            end.result()
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    done = pairs // depth * depth
    return {"in_flight": depth, "pairs_per_second": done / wall, "cpu_ms_per_pair": 1e3 * cpu / done}


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--pairs", type=int, default=4000)
    parser.add_argument("--url")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        books = open_books(options.url or f"sqlite:///{folder}/books.sqlite")
        books.put_plans(plans_from({"bench": PlanSection.model_validate({"per_call": "0.02 USD", "max_calls": 10**9})}))
        digests = []
        for number in range(8):
            customer = books.add_customer(f"bench-{time.time_ns()}-{number}", "")
            books.subscribe(customer.id, "bench")
            digests.append(digest_bytes(books.add_key(customer.id, "bench")[1].encode()))
        drive(books, digests, 1, 200)
        found = {
            "bare_fdatasync_per_second": bare_syncs(folder),
            "bare_sqlite_commits": bare_commits(folder),
            "books": [drive(books, digests, clients, options.pairs) for clients in (1, 8, 64)],
            "pipelined": pipelined(books, digests[0], options.pairs),
            "load": os.getloadavg()[0],
        }
        books.close()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
