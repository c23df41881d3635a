"""One database, SQLite or PostgreSQL, opened so that a commit means synced to disk."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError

from modelmint.kit.errors import MissingExtra, ModelmintError
from modelmint.store.errors import BadDatabaseUrl, BooksCorrupted, BooksUnavailable
from modelmint.store.turn import Turn

_log = logging.getLogger(__name__)
#: Seconds that a writer waits for another before it gives up.
PATIENCE = 30
#: An SQLite file up to this size, in bytes, is rewritten after an erasure; writers wait meanwhile.
LARGEST_REWRITE = 2**31
#: PostgreSQL advisory lock: calls share it, everything that must not meet a call half way holds it alone.
BOOKS_LOCK = 0x6D6F64656C6D696E

#: Where a connection notes the customers whose leases its transaction recalls (leases.recall).
RECALLED = "modelmint_recalled"

Kind = Literal["sqlite", "postgresql"]


class Database:
    """Connections and transactions. ``write`` excludes every other writer, calls under way included."""

    def __init__(self, url: str) -> None:
        self.kind, self._engine, self._file = _engine(url)
        self.lock_file = None if self._file is None else self._file.with_name(self._file.name + "-turn")
        #: Waits until nobody is admitted on what was true before; called after a commit with the customers recalled.
        self.after_recall: Callable[[set[str]], None] | None = None

    @property
    def file(self) -> Path | None:
        """The SQLite file."""
        return self._file

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A transaction that only reads, and sees one moment of the books however long it takes."""
        with self.read() as connection:
            if self.kind == "postgresql":
                connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            yield connection

    @contextmanager
    def write(self, *, thorough: bool = False) -> Iterator[Connection]:
        """A transaction alone in the books; durable when the block has ended.

        ``thorough``: what it deletes or changes is overwritten with zeros (SQLite; see ``scrub``).
        """
        turn = Turn(self.lock_file)
        recalled: set[str] = set()
        try:
            with translated(), turn, self._engine.connect() as connection:
                connection = connection.execution_options(modelmint_write=True)
                connection.info.pop(RECALLED, None)
                with connection.begin():
                    if self.kind == "postgresql":
                        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": BOOKS_LOCK})
                    elif thorough:
                        connection.exec_driver_sql("PRAGMA secure_delete=ON")
                    yield connection
                    if thorough and self.kind == "sqlite":
                        connection.exec_driver_sql("PRAGMA secure_delete=OFF")
                recalled = connection.info.pop(RECALLED, recalled)
        finally:
            turn.close()
        if recalled and self.after_recall is not None:
            self.after_recall(recalled)

    def scrub(self, tables: Sequence[str]) -> bool:
        """Rewrite the files, so that nothing that was deleted lies in unused space; whether it could be done.

        SQLite: the whole file and its log, unless it is too large to hold up everybody. PostgreSQL: ``tables``; its
        own log and backups keep what they hold until they are recycled.
        """
        turn = Turn(self.lock_file)
        try:
            with turn:
                connection = self.driver_connection()
                try:
                    return (
                        _scrub_sqlite(connection, self._file) if self._file else _scrub_postgresql(connection, tables)
                    )
                finally:
                    connection.close()
        except (DBAPIError, sqlite3.Error, OSError, ModelmintError) as error:
            _log.warning("the database was not rewritten after an erasure: %s", error)
            return False
        except Exception as error:  # of the driver of PostgreSQL, which may not be installed
            if type(error).__module__.startswith("psycopg"):
                _log.warning("the database was not rewritten after an erasure: %s", error)
                return False
            raise
        finally:
            turn.close()

    @contextmanager
    def beside_calls(self, whose: str) -> Iterator[Connection]:
        """A write transaction that meets no other of ``whose``, no closing and no change of plan.

        On PostgreSQL calls go on beside it; SQLite has one writer at a time. Durable when the block has ended.
        """
        if self.kind == "sqlite":
            with self.write() as connection:
                yield connection
            return
        with translated(), self._engine.connect() as connection, connection.begin():
            connection.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": BOOKS_LOCK})
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:whose, 0))"), {"whose": whose})
            yield connection

    def driver_connection(self) -> Any:
        """A fresh connection of the driver itself, out of the pool, in autocommit mode; for the hot path."""
        with translated():
            pooled = self._engine.raw_connection()
            connection = pooled.driver_connection
            pooled.detach()
            if self.kind == "postgresql" and connection is not None:
                connection.autocommit = True
            return connection

    def sync_folder(self) -> None:
        """Make the database file's own name durable."""
        if self._file is not None:
            handle = os.open(self._file.parent, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()


#: A wrong statement or a row that breaks a constraint is a bug, not an outage.
_OUR_FAULT = (DataError, IntegrityError, NotSupportedError, ProgrammingError)


@contextmanager
def translated() -> Iterator[None]:
    """Database errors leave as leaves of the error tree."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, OSError) as error:
        if isinstance(error, _OUR_FAULT):
            raise
        raise as_ours(error) from error


def as_ours(error: BaseException) -> ModelmintError:
    """The leaf for a database error."""
    cause = getattr(error, "orig", None) or error
    said = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    if "malformed" in said or "not a database" in said:
        return BooksCorrupted(f"the database says: {said}. Restore the books from a backup; nothing was written")
    return BooksUnavailable(f"the books cannot be written or read now: {said}. Nothing was stored", retry_after=1)


def _engine(url: str) -> tuple[Kind, Engine, Path | None]:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadDatabaseUrl(_expected(url)) from error
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise BadDatabaseUrl("books in memory would be lost; give sqlite:///path/to/books.sqlite")
        file = Path(parsed.database).absolute()
        with translated():
            file.parent.mkdir(parents=True, exist_ok=True)
            _make_private(file)
        engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": PATIENCE, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return "sqlite", engine, file
    if parsed.get_backend_name() == "postgresql":
        try:
            import psycopg  # noqa: F401  # only to say clearly that it is missing
        except ImportError as error:
            raise MissingExtra("postgres", "a PostgreSQL database") from error
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        event.listen(engine, "connect", _prepare_postgresql)
        return "postgresql", engine, None
    raise BadDatabaseUrl(_expected(url))


def _scrub_sqlite(connection: Any, file: Path) -> bool:
    cursor = connection.cursor()
    cursor.execute("PRAGMA secure_delete=ON")
    small = file.stat().st_size <= LARGEST_REWRITE
    if small:
        cursor.execute("VACUUM")
    # Into the file, then the log is cut to nothing; a reader of an old state can be in the way for a moment.
    for _ in range(20):
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if cursor.fetchone()[0] == 0:
            return small
        time.sleep(0.1)
    return False


def _scrub_postgresql(connection: Any, tables: Sequence[str]) -> bool:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"VACUUM (FULL) {table}")
    return True


def _make_private(file: Path) -> None:
    """Make the database file readable by its owner only; SQLite gives -wal and -shm the rights of the file itself.

    A file that exists keeps the rights that it has.
    """
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _expected(url: str) -> str:
    scheme = url.split(":", 1)[0]
    return f"expected sqlite:///path or postgresql+psycopg://user@host/name, found a URL that starts with {scheme!r}"


def _prepare_sqlite(connection: Any, record: object) -> None:  # noqa: ARG001  # SQLAlchemy passes both
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={PATIENCE * 1000}")
    cursor.execute("PRAGMA journal_mode=WAL")
    if cursor.fetchone()[0] != "wal":
        raise BooksUnavailable("this file system cannot hold an SQLite write-ahead log; put the books on a local disk")
    # FULL: the log is synced before a commit returns. fullfsync: macOS asks the drive itself, not its cache.
    # A batch of usage events touches more pages than the 2 MB that SQLite keeps by itself: 32 MiB, where they are used.
    cursor.execute("PRAGMA cache_size=-32768")
    for pragma in ("synchronous=FULL", "fullfsync=ON", "checkpoint_fullfsync=ON", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("modelmint_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(connection: Any, record: object) -> None:  # noqa: ARG001  # SQLAlchemy passes both
    autocommit = connection.autocommit
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
        cursor.execute(f"SET lock_timeout = '{PATIENCE}s'")
        cursor.execute("SET timezone = 'UTC'")
        # Whatever the database defaults to: each statement sees what was committed before it, and texts are UTF-8.
        cursor.execute("SET default_transaction_isolation = 'read committed'")
        cursor.execute("SET client_encoding = 'UTF8'")
    connection.autocommit = autocommit
