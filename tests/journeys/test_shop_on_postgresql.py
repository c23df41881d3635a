"""The whole sale on PostgreSQL: a real server with two workers, paid calls over HTTP, a bill, its proof."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
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

CLIENTS, EACH = 8, 25


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

    return venture_text("brightness") + '\n[plans.strict]\nper_call = "0.02 USD"\nmax_calls = 150\n'


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


def test_calls_are_served_counted_billed_and_proved_on_postgresql(shop: Furnished, url: str, tmp_path: Path) -> None:
    with server_process(shop.root, workers=2) as server:
        seen = calling(server["url"], shop)
        assert sorted(set(seen)) == [200, 402]
        assert seen.count(200) == 150
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
    assert look(here).rows["outcomes"] == CLIENTS * EACH
