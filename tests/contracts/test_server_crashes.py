"""The real HTTP server, its workers and their parent killed under load: what a client was answered is in the books."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from modelmint.bootstrap import open_shop
from modelmint.cli.demo.calls import Caller
from modelmint.tasks.predictions import shown
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished, furnish
from modelmint.testing.waiting import eventually

#: Servers killed; ``make bench-crash`` asks for more.
ROUNDS = max(int(os.environ.get("MODELMINT_CRASH_ROUNDS", "10")) // 5, 2)
CLIENTS = 32


def test_kills_of_workers_and_parent_lose_no_answered_call_and_bill_none_twice(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELMINT_DATABASE_URL", url)
    shop = furnish(tmp_path / "shop")
    chance = random.Random(5)
    answered: list[str] = []
    for number in range(ROUNDS):
        answered += a_killed_server(shop, chance, parent_first=number % 2 == 0)
    with open_shop(shop.root) as opened:
        opened.books.release_stale()
        rows = list(opened.books.outcomes())
        billed = [shown(row.prediction) for row in rows if row.billable]
        assert len(answered) > 20
        assert len(set(answered)) == len(answered)
        assert set(answered) <= set(billed)
        assert len(billed) == len(set(billed))
        assert len(billed) - len(answered) <= ROUNDS * CLIENTS
        assert opened.books.release_stale() == 0


def a_killed_server(shop: Furnished, chance: random.Random, *, parent_first: bool) -> list[str]:
    """Four workers under 32 clients, killed; the predictions that clients were answered with."""
    line = [sys.executable, "-m", "modelmint", "-C", str(shop.root), "--json", "serve", "--workers", "4", "--port", "0"]
    parent = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert parent.stdout is not None
    told = json.loads(parent.stdout.readline())
    answered: list[str] = []
    over = threading.Event()
    clients = [threading.Thread(target=a_client, args=(told["url"], shop, answered, over)) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    eventually(lambda: len(answered) > 10)
    time.sleep(chance.uniform(0.05, 0.5))
    workers = psutil.Process(parent.pid).children(recursive=True)
    first = parent.pid if parent_first else chance.choice(workers).pid
    os.kill(first, signal.SIGKILL)
    time.sleep(chance.uniform(0.0, 0.2))
    for victim in workers if parent_first else [*workers, psutil.Process(parent.pid)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # it went by itself, after its parent
            victim.kill()
    over.set()
    for client in clients:
        client.join()
    parent.wait(60)
    parent.stdout.close()
    psutil.wait_procs(workers, timeout=60)
    return answered


def a_client(url: str, shop: Furnished, answered: list[str], over: threading.Event) -> None:
    """Calls until the server is gone; only whole answers count."""
    caller, scan = Caller(url, shop.model, shop.secret), picture(240)
    while not over.is_set():
        try:
            reply = caller.call(scan)
        except (OSError, ValueError, http.client.HTTPException):
            time.sleep(0.01)
            continue
        if reply.status == 200:
            answered.append(reply.body["id"])
