"""How the rows of ``express`` are written: by one statement on SQLite, in one trip on PostgreSQL."""

from __future__ import annotations

from modelmint.store import express_pg, express_sqlite
from modelmint.store.hot_rows import SettledRows
from modelmint.store.hot_sql import HotConnection


def write(connection: HotConnection, rows: SettledRows, *, patient: bool = True) -> bool:
    """Write and commit; False, and nothing written, where the whole path is needed.

    That is where a period was closed, a lease was recalled or is not ours any more; or, not ``patient``, where somebody
    holds the books alone (PostgreSQL; on SQLite the turn tells).
    """
    if connection.kind == "sqlite":
        return express_sqlite.write(connection, rows)
    return express_pg.write(connection, rows, patient=patient)
