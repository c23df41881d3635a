"""Both databases that the books run on: SQLite, and a real PostgreSQL (``tests/conftest.py``)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from modelmint.kit.clock import ManualClock
from modelmint.store import express_sql
from modelmint.store.books import SqlBooks
from modelmint.store.hot_rows import SettledRows
from modelmint.store.hot_sql import HotConnection
from modelmint.store.open import open_books
from modelmint.testing.books import START

if TYPE_CHECKING:
    from conftest import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes the URL of an empty database."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path / uuid.uuid4().hex}.sqlite"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """An empty database."""
    return new_url()


@pytest.fixture
def clock() -> ManualClock:
    """Noon, in the middle of a billing period."""
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    """Open books, which go by ``clock``."""
    opened = open_books(url, clock)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is slow to give lent quota back is waited for, else a busy machine would decide who is refused."""
    monkeypatch.setattr("modelmint.store.reserve.BOUND", 60)


@pytest.fixture
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease outlives the pauses of a slow disk: calls may come seconds after one another."""
    monkeypatch.setattr("modelmint.store.leases.IDLE", 5)


@pytest.fixture
def expressed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many settlements each batch had that was written without reading."""
    found: list[int] = []
    whole = express_sql.write

    def write(connection: HotConnection, rows: SettledRows, *, patient: bool = True) -> bool:
        done = whole(connection, rows, patient=patient)
        if done:
            found.append(len(rows.outcomes))
        return done

    monkeypatch.setattr(express_sql, "write", write)
    return found
