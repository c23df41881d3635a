"""How the rows of ``express`` are written on SQLite: in one statement, which is a transaction of its own.

The statement inserts into a view of this connection; the trigger of the view checks, and writes to the tables. For
each statement the interpreter is let go of and must be got back from all who wait for it, so one costs much less than
five, alone and even more so among many callers.
"""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from typing import Any

from modelmint.store import hot_sql
from modelmint.store.hot_rows import SettledRows
from modelmint.store.hot_sql import HotConnection

#: Rows in one statement at most.
_MOST = 64
_LOST = "a period was closed, or a lease was recalled"
_OUTCOME = (*hot_sql.OUTCOME_COLUMNS, "month")
#: Beside the outcome: the roll-up's owner and bucket, the lease and the calls used of it. Of the first row only: the
#: last closing that we know of, and whose recalls are looked for.
_COLUMNS = (*_OUTCOME, "counted_by", "bucket", "lease", "used", "closed", "looker")
_CLOSED, _LOOKER = len(_COLUMNS) - 2, len(_COLUMNS) - 1
_ADDED = {
    **{name: f"NEW.{name}" for name in _OUTCOME},
    **{name: f"coalesce(NEW.{name}, '')" for name in ("subscription", "variant", "release")},
    "owner": "NEW.counted_by",
    "bucket": "NEW.bucket",
    "period": "NEW.month",
    "n": "1",
}
_VIEW = f"CREATE TEMP VIEW IF NOT EXISTS settled AS SELECT {', '.join(f'NULL AS {name}' for name in _COLUMNS)}"
_TRIGGER = f"""
CREATE TEMP TRIGGER IF NOT EXISTS settle INSTEAD OF INSERT ON settled BEGIN
  UPDATE leases SET granted = granted - NEW.used WHERE id = NEW.lease AND recalled = 0
    AND (NEW.closed IS NULL OR NEW.closed = (SELECT coalesce(max(ends_at), 0) FROM closings))
    AND (NEW.looker IS NULL OR NOT EXISTS ({hot_sql.RECALLED.replace("?", "NEW.looker")}));
  SELECT RAISE(ABORT, '{_LOST}') WHERE changes() = 0;
  INSERT INTO outcomes ({", ".join(_OUTCOME)}) VALUES ({", ".join(f"NEW.{name}" for name in _OUTCOME)});
  {hot_sql.ADD_UP.head} VALUES ({", ".join(_ADDED[name] for name in hot_sql.ROLLUP_COLUMNS)}) {hot_sql.ADD_UP.tail};
END
"""  # noqa: S608 - names of our own


def write(connection: HotConnection, rows: SettledRows) -> bool:
    """Write and commit; False, and nothing written, where the whole path is needed."""
    if connection.settles is None:
        for statement in ("PRAGMA temp_store=MEMORY", _VIEW, _TRIGGER):
            connection.run(statement)
        connection.settles = True
    values: list[Any] = []
    for outcome, (lease, used) in zip(rows.outcomes, rows.shares, strict=True):
        values += outcome
        values += (rows.counted_by, rows.bucket, lease, used, None, None)
    values[_CLOSED] = rows.closed
    values[_LOOKER] = None if rows.looked is None else rows.owner
    try:
        if len(rows.outcomes) <= _MOST and not connection.is_due():
            connection.run(_text(len(rows.outcomes)), values)
        else:
            _in_parts(connection, values)
    except sqlite3.IntegrityError as error:
        if str(error) != _LOST:
            raise
        connection.rollback()
        return False
    return True


def _in_parts(connection: HotConnection, values: list[Any]) -> None:
    connection.start()
    step = _MOST * len(_COLUMNS)
    for start in range(0, len(values), step):
        part = values[start : start + step]
        connection.run(_text(len(part) // len(_COLUMNS)), part)
    connection.commit(durable=True)


@lru_cache(maxsize=_MOST)
def _text(rows: int) -> str:
    row = f"({', '.join('?' * len(_COLUMNS))})"
    return f"INSERT INTO settled VALUES {', '.join([row] * rows)}"  # noqa: S608 - places of parameters
