"""Making books of a backup: all of it in one transaction, proved before it is committed, or nothing."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, SmallInteger, Table, func, select, text

from modelmint.kit.digest import digest_file
from modelmint.store.backup.archive import Manifest, check, opened, read_manifest, rows_in
from modelmint.store.backup.make import digest_of, tables_of
from modelmint.store.database import Database
from modelmint.store.errors import BackupCorrupted, BooksNotEmpty
from modelmint.store.journal import last_of
from modelmint.store.migrate import HEAD, migrate
from modelmint.store.verify import verify

_PAGE = 1000
#: What new books hold before anything happened in them.
_BORN_WITH = ("meta",)


def restore(url: str, path: Path, sha256: str | None = None) -> Manifest:
    """Fill the empty books at ``url``, made where there are none, from the archive at ``path``.

    ``sha256`` is what ``back_up`` said, where it was noted. Older books are brought to the newest schema. Raises
    ``BackupCorrupted``, ``BooksNotEmpty``, ``NewerBooks``; then nothing was changed.
    """
    manifest = read_manifest(path)
    if sha256 is not None and digest_file(path) != sha256.lower():
        raise BackupCorrupted(f"{path} has another sha256 than {sha256}: it is not the backup that was noted")
    check(path, manifest)
    database = Database(url)
    try:
        with database.write() as connection:
            migrate(connection, manifest.revision)
            tables = tables_of(connection)
            _must_be_empty(connection, tables)
            with opened(path) as archive:
                _fill(connection, archive, tables, manifest)
            if database.kind == "postgresql":
                _count_on(connection, tables)
            migrate(connection)
            _prove(connection, manifest)
        database.sync_folder()
        return manifest
    finally:
        database.close()


def _must_be_empty(connection: Connection, tables: list[Table]) -> None:
    full = [
        table.name
        for table in tables
        if table.name not in _BORN_WITH and connection.execute(select(table).limit(1)).first() is not None
    ]
    if full:
        raise BooksNotEmpty(
            f"books are restored into an empty database only; here are rows in {', '.join(full)}. Nothing was changed"
        )


def _fill(connection: Connection, archive: zipfile.ZipFile, tables: list[Table], manifest: Manifest) -> None:
    unknown = sorted(manifest.tables.keys() ^ {table.name for table in tables})
    if unknown:
        raise BackupCorrupted(f"tables do not fit schema {manifest.revision}: {', '.join(unknown)}")
    changed = []
    for table in tables:
        if table.name in _BORN_WITH:
            connection.execute(table.delete())
        rows = rows_in(archive, table.name)
        while page := [_fitting(table, row) for row in islice(rows, _PAGE)]:
            connection.execute(table.insert(), page)
        if digest_of(connection, table) != manifest.tables[table.name]:
            changed.append(f"{table.name}: what the database holds now is not what it was given")
    if changed:
        raise BackupCorrupted(
            "the restored rows are not the ones of the backup. Nothing was restored", problems=changed
        )


def _fitting(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row, if it has the table's columns and whole numbers where those are counted; SQLite itself would not ask."""
    if row.keys() != set(table.columns.keys()):
        raise BackupCorrupted(f"a row of {table.name} has other columns than the table: {', '.join(sorted(row))}")
    for column in table.columns:
        whole = isinstance(column.type, (BigInteger, Integer, SmallInteger))
        value = row[column.name]
        if value is not None and whole != (isinstance(value, int) and not isinstance(value, bool)):
            raise BackupCorrupted(f"a row of {table.name} holds {value!r:.80} as {column.name}")
    return dict(row)


def _count_on(connection: Connection, tables: list[Table]) -> None:
    """Rows came with their numbers; PostgreSQL's own counters must go on after them."""
    for table in tables:
        for column in _counted(table):
            last = connection.scalar(select(func.max(column)))
            if last is not None:
                counter = text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)")
                connection.execute(counter, {"table": table.name, "column": column.name, "last": last})


def _counted(table: Table) -> Iterator[Any]:
    for column in table.columns:
        default = column.server_default
        if default is not None and "nextval" in str(getattr(default, "arg", "")):
            yield column


def _prove(connection: Connection, manifest: Manifest) -> None:
    """The books that came out are those that went in; raises ``BackupCorrupted``, and everything is rolled back."""
    verdict = verify(connection)
    found = {f"{finding.table} {finding.row}: {finding.problem}" for finding in verdict.findings}
    problems = sorted(found - set(manifest.findings))
    if manifest.revision == HEAD and last_of(connection) != (manifest.entries, manifest.head):
        problems.append(f"the ledger ends with {last_of(connection)}, expected {(manifest.entries, manifest.head)}")
    if problems:
        raise BackupCorrupted(
            "the restored books do not prove right, so nothing was restored; first broken row of each kind:",
            problems=problems,
        )
