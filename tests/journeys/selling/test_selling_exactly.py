"""Many clients, keys coming and going, processes dying: usage, invoice and answers agree to the call."""

from __future__ import annotations

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
from typing import Any

import pytest

from modelmint.api.lock import STATE_FILE
from modelmint.bootstrap import open_shop
from modelmint.kit.period import month_of
from modelmint.tasks.predictions import shown
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished
from modelmint.testing.waiting import eventually

PICTURES = [picture(level, noise=9, seed=level) for level in range(0, 256, 16)]


def test_two_thousand_calls_while_keys_are_made_and_revoked_are_counted_and_billed_exactly(
    served: Any, tools: Any
) -> None:
    first = served.customer("Exact Clinic", "payg")
    tally, keys, lock = tools.Tally(), [first], threading.Lock()
    done = threading.Event()

    def change_keys() -> None:
        """Until two thousand calls were answered, and keys have changed twenty times."""
        line, changes = served.line(first), 0
        while not done.is_set() and (changes < 20 or len(tally.answers) < 2000):
            made = line.send("POST", "/v1/keys", b'{"name": "passing"}').json
            with lock:
                keys.append(made["secret"])
            time.sleep(0.02)
            assert line.send("DELETE", f"/v1/keys/{made['id']}").status == 200
            with lock:
                keys.remove(made["secret"])
            changes += 1
        done.set()

    def call(client: int) -> None:
        chance = random.Random(client)
        lines: dict[str, Any] = {}
        while not done.is_set():
            with lock:
                key = chance.choice(keys)
            line = lines.setdefault(key, served.line(key))
            tally.note(line.predict(payload=chance.choice(PICTURES)))

    def work(number: int) -> None:
        try:
            if number == 0:
                change_keys()
            else:
                call(number)
        except BaseException:
            done.set()
            raise

    tools.in_parallel(33, work)
    good = tally.statuses.count(200)
    assert set(tally.statuses) <= {200, 401}
    assert good >= 2000
    assert len({answer["id"] for answer in tally.answers}) == good
    usage = served.usage(first)
    assert usage["calls"] == usage["by_model"]["brightness"] == good
    invoices = served.founder(
        "POST",
        "/customers/Exact%20Clinic/invoices",
        {"period": usage["period"]["start"][:7], "until_now": True},
    )["invoices"]
    assert sum(line["quantity"] for invoice in invoices for line in invoice["lines"]) == good
    assert sum(invoice["total"]["minor"] for invoice in invoices) == 2 * good


class Fleet:
    """A server on one port that is killed, all of it, and started again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.workers: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        state = self.root / ".modelmint" / STATE_FILE
        state.unlink(missing_ok=True)
        command = [sys.executable, "-m", "modelmint.api", str(self.root), "--port", str(self.port), "--workers", "2"]
        with (self.root / "log").open("ab") as log:
            self._process = process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(lambda: state.exists() or process.poll() is not None, 240, (self.root / "log").read_text)
        assert process.poll() is None, (self.root / "log").read_text()
        found = json.loads(state.read_text())
        self.port = int(found["url"].rsplit(":", 1)[1])
        self.workers = found["workers"]

    def kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)  # else it replaces a worker before its own turn comes
        for pid in [*self.workers, self._process.pid]:
            os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(timeout=240)


@pytest.mark.timeout(1200)
def test_ten_times_killed_with_9_no_acknowledged_call_is_lost_and_none_is_billed_twice(
    fresh_shop: Furnished, tools: Any
) -> None:
    fleet = Fleet(fresh_shop.root)
    fleet.start()
    acknowledged: dict[str, str] = {}
    started: set[str] = set()
    lock, done = threading.Lock(), threading.Event()

    def call(client: int) -> None:
        """Logical calls, each under a key of its own, each repeated until it is acknowledged."""
        line, number = tools.Line(fleet.url, fresh_shop.secret), 0
        while not done.is_set():
            name = f"{client}-{number}"
            started.add(name)
            while not done.is_set():
                try:
                    answer = line.predict(payload=PICTURES[number % 16], Idempotency_Key=name)
                except (OSError, http.client.HTTPException):
                    time.sleep(0.02)
                    continue
                if answer.status == 200:
                    with lock:
                        acknowledged[name] = answer.json["id"]
                    break
                assert answer.status in (409, 503), answer.body
                time.sleep(0.05)
            number += 1

    def until_more_are_served() -> None:
        wanted = len(acknowledged) + 10
        tools.eventually(lambda: len(acknowledged) >= wanted)

    clients = [threading.Thread(target=call, args=(client,)) for client in range(8)]
    for client in clients:
        client.start()
    for round_number in range(10):
        until_more_are_served()
        time.sleep(0.05 * round_number)
        fleet.kill()
        fleet.start()
        with open_shop(fresh_shop.root) as shop:
            shop.books.release_stale()
    until_more_are_served()
    done.set()
    for client in clients:
        client.join()
    assert fleet.stop() == 0
    with open_shop(fresh_shop.root) as shop:
        shop.books.release_stale()
        rows = [row for row in shop.books.outcomes(fresh_shop.customer) if row.billable]
        usage = shop.books.usage(fresh_shop.customer, month_of(shop.books.now()))
    billed = [shown(row.prediction) for row in rows]
    assert len(set(billed)) == len(billed) == usage.calls
    assert set(acknowledged.values()) <= set(billed)
    # What is billed beyond the acknowledged was settled when the client was cut off for good: at most one each.
    assert len(acknowledged) <= usage.calls <= len(started)


def test_a_worker_that_dies_is_replaced_and_the_others_serve_on(fresh_shop: Furnished, tools: Any) -> None:
    fleet = Fleet(fresh_shop.root)
    fleet.start()
    try:
        victim = fleet.workers[0]
        os.kill(victim, signal.SIGKILL)
        state = fleet.root / ".modelmint" / STATE_FILE
        tools.eventually(lambda: victim not in json.loads(state.read_text())["workers"])
        line = tools.Line(fleet.url, fresh_shop.secret)
        wanted = b'modelmint_worker_starts_total{worker="0"} 2'
        tools.eventually(lambda: wanted in line.send("GET", "/metrics").body)
        assert [tools.Line(fleet.url, fresh_shop.secret).predict().status for _ in range(8)] == [200] * 8
    finally:
        assert fleet.stop() == 0
    assert not (fleet.root / ".modelmint" / STATE_FILE).exists()


def test_when_the_parent_is_killed_the_workers_go_too_and_the_port_is_free_again(
    fresh_shop: Furnished, tools: Any
) -> None:
    fleet = Fleet(fresh_shop.root)
    fleet.start()
    assert fleet._process is not None
    fleet._process.kill()
    fleet._process.wait()

    def gone(pid: int) -> bool:
        try:
            return "zombie" in Path(f"/proc/{pid}/status").read_text().split("State:")[1].splitlines()[0]
        except OSError:
            return True

    tools.eventually(lambda: all(gone(pid) for pid in fleet.workers))
    fleet.start()
    assert tools.Line(fleet.url, fresh_shop.secret).predict().status == 200
    assert fleet.stop() == 0
