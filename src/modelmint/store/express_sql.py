"""How the rows of ``express`` are written: SQLite in a few statements, PostgreSQL in one trip (``express_pg``)."""

from __future__ import annotations

import json
from typing import Any

from modelmint.store import express_pg, hot_sql
from modelmint.store.hot_rows import SettledRows
from modelmint.store.hot_sql import HotConnection

#: Takes the calls used off the leases that are still ours, unless a period was closed or something is recalled. One
#: statement that gives back no rows: each row would let go of the interpreter while all callers wait for it.
_UNCHANGED = "recalled = 0 AND (SELECT coalesce(max(ends_at), 0) FROM closings) = ?"
_LOOK = f"AND NOT EXISTS ({hot_sql.RECALLED})"
_ONE = f"UPDATE leases SET granted = granted - ? WHERE id = ? AND {_UNCHANGED}"  # noqa: S608 - text of our own
_OF_MANY = "UPDATE leases SET granted = granted - used.value FROM json_each(?) AS used WHERE leases.id = used.key AND"
_MANY = f"{_OF_MANY} {_UNCHANGED}"
#: By whether one lease is used or several, and whether recalls are looked for.
_USED = {
    (True, False): _ONE,
    (True, True): f"{_ONE} {_LOOK}",
    (False, False): _MANY,
    (False, True): f"{_MANY} {_LOOK}",
}


def write(connection: HotConnection, rows: SettledRows, *, patient: bool = True) -> bool:
    """Write and commit; False, and nothing written, where the whole path is needed.

    That is where a period was closed, a lease was recalled or is not ours any more; or, not ``patient``, where somebody
    holds the books alone (PostgreSQL; on SQLite the turn tells).
    """
    if connection.kind == "sqlite":
        return _sqlite(connection, rows)
    return express_pg.write(connection, rows, patient=patient)


def _sqlite(connection: HotConnection, rows: SettledRows) -> bool:
    connection.start()
    one, look = len(rows.used) == 1, rows.looked is not None
    if one:
        ((lease, used),) = rows.used.items()
        values: tuple[Any, ...] = (used, lease)
    else:
        values = (json.dumps(rows.used),)
    ours = connection.change(_USED[one, look], (*values, rows.closed, *((rows.owner,) if look else ())))
    if ours != len(rows.used):
        connection.rollback()
        return False
    connection.add(hot_sql.ADD_OUTCOMES, rows.outcomes)
    connection.add(hot_sql.ADD_UP, rows.rollups)
    connection.commit(durable=True)
    return True
