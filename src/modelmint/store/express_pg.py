"""How the rows of ``express`` are written on PostgreSQL: in one trip, by a function.

The functions belong to the session, so that they always are of the same version as this code. A call of one is a
transaction of its own; each statement in it sees what was committed before it began (READ COMMITTED), so what is read
under the lock of the books is true. One settlement has a function with plain parameters: to take arrays apart costs
more than to insert a row. Many have one with arrays, whose plans are made once: made for each call they would cost
more than all the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, SmallInteger, Table

from modelmint.store import hot_sql
from modelmint.store.database import BOOKS_LOCK
from modelmint.store.errors import BooksUnavailable
from modelmint.store.hot_rows import Rollups, SettledRows
from modelmint.store.hot_sql import HotConnection
from modelmint.store.schema import call_rollups, outcomes

_ONE, _MANY = b"modelmint_settle_one", b"modelmint_settle_many"
_DONE = b"done"
#: SQLSTATE: insufficient privilege, no prepared statement of this name.
_FORBIDDEN, _FORGOTTEN = "42501", "26000"

_log = logging.getLogger(__name__)


def write(connection: HotConnection, rows: SettledRows, *, patient: bool) -> bool:
    """Write and commit; False, and nothing written, where the whole path is needed."""
    server = connection.server()
    if connection.settles is None:
        connection.settles = _taught(server)
    if not connection.settles:
        return False
    owner = rows.owner.encode() if rows.looked is not None else None
    check = (b"t" if patient else b"f", owner, b"%d" % rows.closed)
    if len(rows.outcomes) == 1:
        ((lease, used),) = rows.used.items()
        first = (*check, lease.encode(), b"%d" % used, rows.counted_by.encode(), b"%d" % rows.bucket)
        answer = _asked(server, _ONE, [*first, *map(_plain, rows.outcomes[0])])
    else:
        leases = (_texts(list(rows.used)), _numbers(list(rows.used.values())))
        added = Rollups(rows.counted_by, rows.bucket)
        for outcome in rows.outcomes:
            added.add(outcome)
        arrays = (*_arrays(_OUTCOME_TYPES, rows.outcomes), *_arrays(_ROLLUP_TYPES, list(added.rows())))
        answer = _asked(server, _MANY, [*check, *leases, *arrays])
    return answer == _DONE


def _taught(server: Any) -> bool:
    """Make the functions; False where this role may not (TEMPORARY on the database)."""
    try:
        for text in (_ONE_TEXT, _MANY_TEXT):
            _answer(server.exec_(text.encode()))
    except BooksUnavailable as error:
        if getattr(error, "sqlstate", "") != _FORBIDDEN:
            raise
        _log.warning("calls are settled the long way: %s", error)
        return False
    return True


def _asked(server: Any, name: bytes, values: Sequence[bytes | None]) -> bytes:
    """What the function says. The driver forgets all prepared statements, ours too, whenever it rolls back."""
    try:
        return bytes(_answer(server.exec_prepared(name, values)).get_value(0, 0))
    except BooksUnavailable as error:
        if getattr(error, "sqlstate", "") != _FORGOTTEN:
            raise
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    _answer(server.prepare(name, f"SELECT pg_temp.{name.decode()}({places})".encode()))
    return bytes(_answer(server.exec_prepared(name, values)).get_value(0, 0))


def _answer(result: Any) -> Any:
    """What the server said; raises where it failed, with its ``sqlstate``."""
    from psycopg.pq import DiagnosticField, ExecStatus

    if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        said = result.error_message.decode(errors="replace").partition("\n")[0]
        error = BooksUnavailable(f"the books cannot be written now: {said}", retry_after=1)
        error.sqlstate = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()  # type: ignore[attr-defined]
        raise error
    return result


def _type(table: Table, column: str) -> str:
    kind = table.c[column].type
    return "bigint" if isinstance(kind, BigInteger) else "smallint" if isinstance(kind, SmallInteger) else "text"


_OUTCOME_NAMES = (*hot_sql.OUTCOME_COLUMNS, "month")
_OUTCOME_TYPES = [_type(outcomes, name) for name in _OUTCOME_NAMES]
_ROLLUP_TYPES = [_type(call_rollups, name) for name in hot_sql.ROLLUP_COLUMNS]
_ADD = f"INSERT INTO outcomes ({', '.join(_OUTCOME_NAMES)})"

#: Nothing is written unless the books are as they were at the last look.
_CHECK = f"""
  IF $1 THEN
    PERFORM pg_advisory_xact_lock_shared({BOOKS_LOCK});
  ELSIF NOT pg_try_advisory_xact_lock_shared({BOOKS_LOCK}) THEN
    RETURN 'busy';
  END IF;
  IF (SELECT coalesce(max(ends_at), 0) FROM closings) <> $3 THEN
    RETURN 'closed';
  END IF;
  IF $2 IS NOT NULL AND EXISTS ({hot_sql.RECALLED.replace("?", "$2")}) THEN
    RETURN 'recalled';
  END IF;
"""  # noqa: S608 - a statement and a number of our own

# one settlement: whether to wait, who looks for recalls, the last closing, the lease, calls used of it, the roll-up's
# owner and bucket, then the outcome
_ONE_TYPES = ["boolean", "text", "bigint", "text", "bigint", "text", "bigint", *_OUTCOME_TYPES]
_OUTCOME = {name: f"${number}" for number, name in enumerate(_OUTCOME_NAMES, 8)}
_ADDED = {
    **_OUTCOME,
    **{name: f"coalesce({_OUTCOME[name]}, '')" for name in ("subscription", "variant", "release")},
    "owner": "$6",
    "bucket": "$7",
    "period": _OUTCOME["month"],
    "n": "1",
}
_ONE_TEXT = f"""
CREATE OR REPLACE FUNCTION pg_temp.{_ONE.decode()}({", ".join(_ONE_TYPES)}) RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
  {_CHECK}
  UPDATE leases SET granted = granted - $5 WHERE id = $4 AND recalled = 0;
  IF NOT FOUND THEN
    RETURN 'lost';
  END IF;
  {_ADD} VALUES ({", ".join(_OUTCOME.values())});
  {hot_sql.ADD_UP.head} VALUES ({", ".join(_ADDED[name] for name in hot_sql.ROLLUP_COLUMNS)}) {hot_sql.ADD_UP.tail};
  RETURN 'done';
END $body$
"""  # noqa: S608 - names of our own

# many: whether to wait, who looks for recalls, the last closing, leases, calls used of each, outcomes and roll-ups by
# column
_MANY_TYPES = [
    "boolean",
    "text",
    "bigint",
    *(f"{name}[]" for name in ("text", "bigint", *_OUTCOME_TYPES, *_ROLLUP_TYPES)),
]


def _rows(start: int, types: Sequence[str]) -> str:
    places = ", ".join(f"${number}" for number in range(start, start + len(types)))
    return f"SELECT * FROM unnest({places})"  # noqa: S608 - places of parameters


_MANY_TEXT = f"""
CREATE OR REPLACE FUNCTION pg_temp.{_MANY.decode()}({", ".join(_MANY_TYPES)}) RETURNS text LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $body$
DECLARE
  ours bigint;
BEGIN
  {_CHECK}
  PERFORM 1 FROM leases WHERE id = ANY($4) AND recalled = 0 ORDER BY id FOR UPDATE;
  GET DIAGNOSTICS ours = ROW_COUNT;
  IF ours <> cardinality($4) THEN
    RETURN 'lost';
  END IF;
  UPDATE leases SET granted = granted - used.calls FROM unnest($4, $5) AS used (id, calls) WHERE leases.id = used.id;
  {_ADD} {_rows(6, _OUTCOME_TYPES)};
  {hot_sql.ADD_UP.head} {_rows(6 + len(_OUTCOME_TYPES), _ROLLUP_TYPES)} {hot_sql.ADD_UP.tail};
  RETURN 'done';
END $body$
"""  # noqa: S608 - names of our own


def _plain(value: str | int | None) -> bytes | None:
    if value is None:
        return None
    text = str(value).encode()
    if b"\0" in text:  # would end the parameter there, unnoticed
        raise BooksUnavailable("a text with a NUL character cannot be stored")
    return text


def _arrays(types: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Iterable[bytes]:
    """The columns of ``rows`` as array literals."""
    for kind, column in zip(types, zip(*rows, strict=True), strict=True):
        yield _texts(column) if kind == "text" else _numbers(column)


def _numbers(values: Sequence[int]) -> bytes:
    return f"{{{str(list(values))[1:-1]}}}".encode()


def _texts(values: Sequence[str | None]) -> bytes:
    return f"{{{','.join(map(_quoted, values))}}}".encode()


def _quoted(value: str | None) -> str:
    if value is None:
        return "NULL"
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'
