"""A database role that may not make temporary functions: calls are settled all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import make_url

from modelmint.commerce.types import Settlement
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import a_caller

if TYPE_CHECKING:
    from conftest import Postgres

ROLE = "modest"


@pytest.fixture
def url(postgres: Postgres) -> str:
    """An empty database."""
    return postgres.new_database()


@pytest.fixture
def modest(url: str) -> Iterator[str]:
    """The same database for a role with the rights to the tables and no others."""
    open_books(url).close()
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    database = make_url(url).database
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(f"DROP ROLE IF EXISTS {ROLE}")
        owner.execute(f"CREATE ROLE {ROLE} LOGIN")
        owner.execute(f'REVOKE TEMPORARY ON DATABASE "{database}" FROM PUBLIC')
        owner.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}")
        owner.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")
    yield make_url(url).set(username=ROLE).render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(f"DROP OWNED BY {ROLE}")
        owner.execute(f"DROP ROLE {ROLE}")


def test_calls_on_leases_are_settled_where_temporary_functions_are_forbidden(modest: str, url: str) -> None:
    keeper = open_books(url)
    caller = a_caller(keeper)
    books = open_books(modest)
    assert isinstance(books, SqlBooks)
    for here in (True, False) * 5:
        admitted = books.reserve(caller.request()).decided.result(60)
        books.settle(Settlement(admitted.reservation, 200, "ok"), here=here).result(60)
    books.close()
    assert keeper.counts() == {("reader", 200, "ok"): 10}
    keeper.close()
