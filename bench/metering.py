"""Admission and metering alone, in one process: reserve and settle, durable, beside the disk's bare commit."""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.harness import Bench, table
from modelmint.bootstrap import open_shop
from modelmint.cli.demo.calls import quantile
from modelmint.commerce.repository import Books
from modelmint.commerce.types import AdmissionRequest, Settlement
from modelmint.testing.shops import furnish

CLIENTS = (1, 8, 32, 64)
CALLS = 3000
COMMITS = 300


def run(bench: Bench) -> None:
    """Measure and print."""
    record = bench.measure("metering", "sqlite", _work)
    rows = [
        (
            f"paid calls, {one['clients']} clients",
            f"{one['calls']:,}",
            f"{one['calls_per_second']:,.0f}",
            f"{one['p50_ms']:.3f}",
            f"{one['p99_ms']:.3f}",
            f"{one['cpu_ms']:.3f}",
        )
        for one in record["levels"]
    ]
    bare = record["bare"]
    cells = (
        f"{bare['calls']:,}",
        f"{bare['calls_per_second']:,.0f}",
        f"{bare['p50_ms']:.3f}",
        f"{bare['p99_ms']:.3f}",
        "",
    )
    rows.append(("bare one-row commits, synced", *cells))
    columns = ("SQLite", "n", "a second", "p50 ms", "p99 ms", "CPU ms each")
    table("Key check, admission and metering, durable, without HTTP and model", columns, rows, [record])


def _work(folder: Path) -> dict[str, Any]:
    with TemporaryDirectory(dir=folder) as place:
        bare = _bare(Path(place) / "bare.sqlite")
        shop = furnish(Path(place) / "shop")
        with open_shop(shop.root) as opened:
            digest = sha256(shop.secret.encode()).hexdigest()
            levels = [_level(opened.books, digest, shop.model, clients) for clients in CLIENTS]
    return {"bare": bare, "levels": levels}


def _level(books: Books, digest: str, model: str, clients: int) -> dict[str, Any]:
    calls = CALLS if clients > 1 else CALLS // 5

    def call(_: int) -> float:
        began = time.perf_counter()
        ticket = books.reserve(AdmissionRequest(key_digest=digest, model=model, calls=1, items=1))
        admitted = ticket.decided.result()
        ticket.durable.result()
        done = Settlement(admitted.reservation, 200, "ok", calls=1, items=1, compute_ms=Decimal("0.1"))
        books.settle(done).result()
        return (time.perf_counter() - began) * 1000

    cpu, began = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        walls = list(pool.map(call, range(calls)))
    return {"clients": clients, "cpu_ms": (time.process_time() - cpu) * 1000 / calls, **_rate(walls, began)}


def _bare(file: Path) -> dict[str, Any]:
    """What this disk does by itself: one row, one transaction, synced."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE row (at REAL)")
    walls = []
    began = time.perf_counter()
    for _ in range(COMMITS):
        start = time.perf_counter()
        connection.execute("INSERT INTO row VALUES (?)", (start,))
        walls.append((time.perf_counter() - start) * 1000)
    connection.close()
    return _rate(walls, began)


def _rate(walls: list[float], began: float) -> dict[str, Any]:
    return {
        "calls": len(walls),
        "calls_per_second": len(walls) / (time.perf_counter() - began),
        "p50_ms": quantile(walls, 0.5),
        "p99_ms": quantile(walls, 0.99),
    }
