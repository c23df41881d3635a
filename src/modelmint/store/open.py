"""The way in: a database URL becomes the venture's books."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from modelmint.commerce.types import Deployment
from modelmint.kit.clock import Clock, SystemClock
from modelmint.store import deployments
from modelmint.store.books import LEASE, SqlBooks
from modelmint.store.database import Database
from modelmint.store.migrate import HEAD, migrate, revision_of
from modelmint.store.schema import meta


def open_books(url: str, clock: Clock | None = None, venture_name: str = "", *, lease: timedelta = LEASE) -> SqlBooks:
    """The books at ``url``, made where there are none and brought to the newest schema first.

    ``sqlite:///relative.sqlite``, ``sqlite:////absolute.sqlite`` or ``postgresql+psycopg://user@host/name``.
    ``venture_name`` is written into new books, so that a file found alone says whose it is. Raises
    ``BadDatabaseUrl``, ``BooksUnavailable``, ``BooksCorrupted``, ``NewerBooks``, ``MissingExtra``.
    """
    database = Database(url)
    try:
        if not _is_ready(database):
            _prepare(database, venture_name)
    except BaseException:
        database.close()
        raise
    return SqlBooks(database, clock or SystemClock(), lease)


def _is_ready(database: Database) -> bool:
    """Whether there is nothing to write: then opening does not wait for anyone."""
    with database.read() as connection:
        return revision_of(connection) == HEAD


def deployments_at(url: str) -> list[Deployment]:
    """What the books at ``url`` say is served now; nothing is written, and books of an older schema say nothing."""
    database = Database(url)
    try:
        with database.read() as connection:
            return deployments.current(connection) if revision_of(connection) == HEAD else []
    finally:
        database.close()


def _prepare(database: Database, venture_name: str) -> None:
    with database.write() as connection:
        migrate(connection)
        known = connection.scalar(select(meta.c.value).where(meta.c.name == "venture"))
        if known is None:
            connection.execute(meta.insert().values(name="venture", value=venture_name))
    database.sync_folder()
