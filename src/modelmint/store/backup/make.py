"""Making a backup: one moment of the books, streamed into a file, while others go on calling."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, MetaData, String, Table, func, make_url, select

from modelmint.kit.digest import digest_file
from modelmint.kit.table_file import whole_file
from modelmint.store.backup.archive import Manifest, line_of, member, write_manifest
from modelmint.store.database import Database
from modelmint.store.errors import NoBooks
from modelmint.store.journal import last_of
from modelmint.store.migrate import HEAD, revision_of
from modelmint.store.schema import meta
from modelmint.store.verify import verify

#: Where the migration tool keeps the schema's revision; the manifest says it.
REVISION_TABLE = "alembic_version"
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Look:
    """What lies in a database."""

    kind: str
    revision: str
    venture: str
    rows: Mapping[str, int]
    entries: int
    head: str


def back_up(url: str, path: Path, now: datetime) -> tuple[Manifest, str]:
    """Write the books at ``url`` to ``path``: what the archive says of itself, and its sha256, to note elsewhere.

    Books of an older schema are backed up as they are, which is what one wants before an upgrade. Raises ``NoBooks``.
    """
    database = Database(url)
    try:
        with database.snapshot() as connection, whole_file(path) as temporary:
            revision = _revision(connection, database)
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                tables = {table.name: _write(connection, archive, table) for table in tables_of(connection)}
                manifest = _manifest(connection, revision, now, tables)
                write_manifest(archive, manifest)
        return manifest, digest_file(path)
    finally:
        database.close()


def look(url: str) -> Look:
    """What lies at ``url``; raises ``NoBooks``."""
    database = Database(url)
    try:
        with database.snapshot() as connection:
            revision = _revision(connection, database)
            rows = {
                table.name: int(connection.scalar(select(func.count()).select_from(table)) or 0)
                for table in tables_of(connection)
            }
            seq, head = last_of(connection) if revision == HEAD else (rows.get("ledger_entries", 0), "")
            return Look(database.kind, revision, _venture(connection), rows, seq, head)
    finally:
        database.close()


def shown_url(url: str) -> str:
    """A database URL without its password."""
    return make_url(url).render_as_string(hide_password=True)


def tables_of(connection: Connection) -> list[Table]:
    """The tables as they stand in the database, whatever its schema, those that others refer to first."""
    known = MetaData()
    known.reflect(connection)
    return [table for table in known.sorted_tables if table.name != REVISION_TABLE]


def _revision(connection: Connection, database: Database) -> str:
    revision = revision_of(connection)
    if revision is None:
        raise NoBooks(f"there are no books in this {database.kind} database; 'modelmint serve' or any verb makes them")
    return revision


def _venture(connection: Connection) -> str:
    return connection.scalar(select(meta.c.value).where(meta.c.name == "venture")) or ""


def _write(connection: Connection, archive: zipfile.ZipFile, table: Table) -> tuple[int, str]:
    with archive.open(member(table.name), "w", force_zip64=True) as file:
        return digest_of(connection, table, file.write)


def digest_of(connection: Connection, table: Table, write: Callable[[bytes], object] | None = None) -> tuple[int, str]:
    """Rows of a table and the sha256 of their lines, which ``write`` is handed one by one."""
    digest, count = hashlib.sha256(), 0
    query = select(table).order_by(*_in_byte_order(connection, table))
    for row in connection.execute(query, execution_options={"yield_per": _PAGE}).mappings():
        line = line_of(dict(row))
        digest.update(line)
        count += 1
        if write is not None:
            write(line)
    return count, digest.hexdigest()


def _in_byte_order(connection: Connection, table: Table) -> list[ColumnElement[Any]]:
    """The primary key, texts by their bytes on both databases, so that the same rows make the same lines."""
    if connection.dialect.name == "sqlite":
        return list(table.primary_key.columns)
    return [column.collate("C") if isinstance(column.type, String) else column for column in table.primary_key.columns]


def _manifest(connection: Connection, revision: str, now: datetime, tables: Mapping[str, tuple[int, str]]) -> Manifest:
    venture, made_at = _venture(connection), f"{now:%Y-%m-%dT%H:%M:%SZ}"
    if revision != HEAD:  # its ledger has no chain yet, or another form
        return Manifest(venture, revision, made_at, tables, tables["ledger_entries"][0], "", ())
    verdict = verify(connection)
    findings = tuple(f"{found.table} {found.row}: {found.problem}" for found in verdict.findings)
    entries, head = last_of(connection)
    return Manifest(venture, revision, made_at, tables, entries, head, findings)
