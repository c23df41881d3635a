"""After something went wrong on the short way, the books are whole and the short way is open again; both databases."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import make_url, update

from modelmint.commerce.types import Settlement
from modelmint.kit.clock import ManualClock
from modelmint.kit.period import month_of
from modelmint.store import express_sql
from modelmint.store.books import SqlBooks
from modelmint.store.errors import BooksUnavailable
from modelmint.store.hot_sql import HotConnection
from modelmint.store.open import open_books
from modelmint.store.schema import leases
from modelmint.testing.books import START, Caller, a_caller


def frequent(books: SqlBooks, name: str = "Clinic North") -> Caller:
    """Somebody who called a moment ago."""
    caller = a_caller(books, name=name)
    caller.call(times=3)
    return caller


def settled_here(caller: Caller, name: str) -> str:
    return caller.books.settle(Settlement(name, 200, "ok"), here=True).result(60).code


@pytest.mark.usefixtures("calm")
def test_after_a_lease_was_lost_the_next_ones_are_settled_without_reading_again(
    books: SqlBooks, expressed: list[int]
) -> None:
    caller = frequent(books)
    for _ in range(3):
        admitted = caller.reserve()
        with books._database.write() as connection:
            connection.execute(update(leases).values(recalled=1))
        assert settled_here(caller, admitted.reservation) == "ok"
        caller.call(times=3)
        expressed.clear()
        for _ in range(4):
            assert settled_here(caller, caller.reserve().reservation) == "ok"
        assert expressed == [1, 1, 1, 1]
    assert books.counts() == {("reader", 200, "ok"): 3 + 3 * 8}


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("wrong", [{"compute_ms": Decimal("NaN")}, {"wall_ms": Decimal("1E+40")}, {"pixels": None}])
def test_a_settlement_that_cannot_be_worked_with_is_told_and_the_books_go_on(
    books: SqlBooks, wrong: dict[str, Any], here: bool
) -> None:
    caller = frequent(books)
    name = caller.reserve().reservation
    with pytest.raises(BooksUnavailable):
        books.settle(Settlement(name, 200, "ok", **wrong), here=here).result(60)
    assert settled_here(caller, name) == "ok"
    assert caller.call(times=2)
    assert books.counts() == {("reader", 200, "ok"): 6}


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize("late", [False, True])
def test_ctrl_c_while_settling_here_keeps_nothing_open_and_the_call_ends_once(
    url: str, books: SqlBooks, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    caller = frequent(books)
    name = caller.reserve().reservation
    whole = express_sql.write

    def interrupted(connection: HotConnection, *arguments: Any, **more: Any) -> bool:
        if late:
            whole(connection, *arguments, **more)
        elif connection.kind == "sqlite":
            connection.start()
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(express_sql, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            books.settle(Settlement(name, 200, "ok"), here=True)
    with closing(open_books(url, clock)) as others:
        frequent(others, "Clinic South")
    if late:
        assert settled_here(caller, name) == "ok"
    books.close()
    clock.advance(timedelta(minutes=20))
    with closing(open_books(url, clock)) as after:
        after.release_stale()
        assert after.release_stale() == 0
        found = [one.code for one in after.outcomes() if one.id == name]
    assert found == (["ok"] if late else ["released"])


def test_nothing_is_booked_in_a_closed_period_whatever_isolation_the_database_defaults_to(
    url: str, clock: ManualClock
) -> None:
    if url.startswith("postgresql"):
        import psycopg

        plain = make_url(url).set(drivername="postgresql")
        with psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True) as server:
            server.execute(f'ALTER DATABASE "{plain.database}" SET default_transaction_isolation = "repeatable read"')
            server.execute(f'ALTER DATABASE "{plain.database}" SET client_encoding = "LATIN1"')
    with closing(open_books(url, clock)) as books, closing(open_books(url, clock)) as others:
        assert isinstance(books, SqlBooks)
        caller = frequent(books)
        name = caller.reserve().reservation
        clock.advance(timedelta(days=20, hours=13))
        november = month_of(START)
        others.close_period(caller.customer.id, november, "")
        clock.advance(timedelta(hours=-2))
        outcome = books.settle(Settlement(name, 200, "ok", variant="café 模铸"), here=True).result(60)
        assert outcome.at == november.end
        assert [one.variant for one in others.outcomes() if one.id == name] == ["café 模铸"]
