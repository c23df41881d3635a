"""The whole sale on PostgreSQL: a real server with two workers, paid calls over HTTP, a bill, its proof."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from modelmint.api.candidate import server_process
from modelmint.cli.demo.calls import Caller
from modelmint.store.backup import look, restore
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished, furnish

if TYPE_CHECKING:
    from conftest import Postgres

CLIENTS, EACH, LIMIT = 8, 25, 150


@pytest.fixture
def url(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty database that every process of the test uses."""
    found = postgres.empty_database()
    monkeypatch.setenv("MODELMINT_DATABASE_URL", found)
    return found


@pytest.fixture
def shop(url: str, tmp_path: Path) -> Furnished:
    return furnish(tmp_path / "shop", plan="strict", venture=_venture())


def _venture() -> str:
    from modelmint.testing.ventures import venture_text

    return venture_text("brightness") + f'\n[plans.strict]\nper_call = "0.02 USD"\nmax_calls = {LIMIT}\n'


def typed(shop: Furnished, *words: str) -> dict[str, Any]:
    line = [sys.executable, "-m", "modelmint", "-C", str(shop.root), "--json", *words]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def calling(url: str, shop: Furnished) -> list[int]:
    """Eight clients at once; the statuses that they saw."""
    seen: list[int] = []

    def client() -> None:
        caller = Caller(url, shop.model, shop.secret)
        seen.extend(caller.call(picture(240)).status for _ in range(EACH))
        caller.close()

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    return seen


def until_all_are_sold(url: str, shop: Furnished, seen: list[int]) -> None:
    """One server may have been refused while the other still held quota that it did not use: the rest is sold now."""
    caller, deadline = Caller(url, shop.model, shop.secret), time.monotonic() + 120
    while seen.count(200) < LIMIT:
        assert time.monotonic() < deadline, "not everything that the plan holds is sold"
        seen.append(caller.call(picture(240)).status)
    seen.append(caller.call(picture(240)).status)
    assert seen[-1] == 402
    caller.close()


def test_calls_are_served_counted_billed_and_proved_on_postgresql(shop: Furnished, url: str, tmp_path: Path) -> None:
    with server_process(shop.root, workers=2) as server:
        seen = calling(server["url"], shop)
        until_all_are_sold(server["url"], shop, seen)
        assert sorted(set(seen)) == [200, 402]
        assert seen.count(200) == LIMIT
        backup = tmp_path / "books.backup"
        typed(shop, "store", "backup", str(backup))
        (invoice,) = typed(shop, "invoices", "close", shop.customer, "--until-now")["invoices"]
        assert invoice["total"] == {"minor": 300, "currency": "USD", "text": "3.00 USD"}
        assert typed(shop, "ledger", "verify", "--deep")["sound"] is True
        assert typed(shop, "invoices", "replay", "1")["same"] is True
    assert not (shop.root / ".modelmint" / "books.sqlite").exists()
    assert look(url).kind == "postgresql"
    here = f"sqlite:///{tmp_path / 'here.sqlite'}"
    restore(here, backup)
    assert look(here).rows["outcomes"] == len(seen) >= CLIENTS * EACH + 1
