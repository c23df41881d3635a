"""How the rows of ``express`` are written: SQLite in four statements, PostgreSQL in one trip.

On PostgreSQL a function of the session does it, so that it always is of the same version as this code. It is a
transaction of its own; each of its statements sees what was committed before it began (READ COMMITTED), so what it
reads under the lock of the books is true. Its plans are made once: made for each call they cost more than all the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import BigInteger, SmallInteger, Table

from modelmint.store import hot_sql
from modelmint.store.database import BOOKS_LOCK
from modelmint.store.errors import BooksUnavailable
from modelmint.store.hot_sql import HotConnection
from modelmint.store.schema import call_rollups, outcomes

#: Takes the calls used off the leases; a row for each that is still ours.
_USED = (
    "UPDATE leases SET granted = granted - used.value FROM json_each(?) AS used "
    "WHERE leases.id = used.key AND recalled = 0 RETURNING (SELECT max(ends_at) FROM closings)"
)
_NAME = b"modelmint_settle"
_DONE = b"done"


class Rows(Protocol):
    """What is to be written (``express.Express``)."""

    owner: str
    closed: int
    used: dict[str, int]
    looked: float | None
    outcomes: list[tuple[Any, ...]]
    rollups: list[tuple[Any, ...]]


def write(connection: HotConnection, rows: Rows) -> bool:
    """Write and commit; False, and nothing written, where a period was closed or a lease is not ours any more."""
    return _sqlite(connection, rows) if connection.kind == "sqlite" else _postgresql(connection, rows)


def _sqlite(connection: HotConnection, rows: Rows) -> bool:
    connection.start()
    closings = connection.rows(_USED, (json.dumps(rows.used),))
    if (
        len(closings) != len(rows.used)
        or (closings[0][0] or 0) != rows.closed
        or (rows.looked is not None and connection.rows(hot_sql.RECALLED, (rows.owner,)))
    ):
        connection.rollback()
        return False
    connection.add(hot_sql.ADD_OUTCOMES, rows.outcomes)
    connection.add(hot_sql.ADD_UP, rows.rollups)
    connection.commit(durable=True)
    return True


def _postgresql(connection: HotConnection, rows: Rows) -> bool:
    server = connection.server()
    if not connection.knows_settle:
        _answer(server.exec_(_FUNCTION.encode()))
        _answer(server.prepare(_NAME, f"SELECT pg_temp.modelmint_settle({_PARAMETERS})".encode()))
        connection.knows_settle = True
    values = [
        rows.owner.encode() if rows.looked is not None else None,
        str(rows.closed).encode(),
        _texts(list(rows.used)),
        _numbers(list(rows.used.values())),
        *_arrays(_OUTCOME_TYPES, rows.outcomes),
        *_arrays(_ROLLUP_TYPES, rows.rollups),
    ]
    return bool(_answer(server.exec_prepared(_NAME, values)).get_value(0, 0) == _DONE)


def _answer(result: Any) -> Any:
    """What the server said; raises where it failed."""
    from psycopg.pq import ExecStatus

    if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        raise BooksUnavailable(f"the database says: {result.error_message.decode(errors='replace').strip()}")
    return result


def _type(table: Table, column: str) -> str:
    kind = table.c[column].type
    return "bigint" if isinstance(kind, BigInteger) else "smallint" if isinstance(kind, SmallInteger) else "text"


_OUTCOME_NAMES = (*hot_sql.OUTCOME_COLUMNS, "month")
_OUTCOME_TYPES = [_type(outcomes, name) for name in _OUTCOME_NAMES]
_ROLLUP_TYPES = [_type(call_rollups, name) for name in hot_sql.ROLLUP_COLUMNS]
_TYPES = ["text", "bigint", "text[]", "bigint[]", *(f"{name}[]" for name in (*_OUTCOME_TYPES, *_ROLLUP_TYPES))]
_PARAMETERS = ", ".join(f"${number}" for number in range(1, len(_TYPES) + 1))


_OUTCOMES_AT, _ROLLUPS_AT = 5, 5 + len(_OUTCOME_TYPES)


def _first(start: int, types: Sequence[str]) -> str:
    """The first elements of the arrays."""
    return f"VALUES ({', '.join(f'${number}[1]' for number in range(start, start + len(types)))})"


def _all(start: int, types: Sequence[str]) -> str:
    """The arrays as rows; taking them apart costs more than to insert one row."""
    places = ", ".join(f"${number}" for number in range(start, start + len(types)))
    return f"SELECT * FROM unnest({places})"  # noqa: S608 - places of parameters


_ADD = f"INSERT INTO outcomes ({', '.join(_OUTCOME_NAMES)})"
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION pg_temp.modelmint_settle({", ".join(_TYPES)}) RETURNS text LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $body$
DECLARE
  ours bigint;
BEGIN
  PERFORM pg_advisory_xact_lock_shared({BOOKS_LOCK});
  IF (SELECT coalesce(max(ends_at), 0) FROM closings) <> $2 THEN
    RETURN 'closed';
  END IF;
  IF $1 IS NOT NULL AND EXISTS ({hot_sql.RECALLED.replace("?", "$1")}) THEN
    RETURN 'recalled';
  END IF;
  UPDATE leases SET granted = granted - used.calls FROM unnest($3, $4) AS used (id, calls)
    WHERE leases.id = used.id AND recalled = 0;
  GET DIAGNOSTICS ours = ROW_COUNT;
  IF ours <> cardinality($3) THEN
    RAISE EXCEPTION 'a lease in use was recalled, or released as forgotten';
  END IF;
  IF cardinality(${_OUTCOMES_AT}) = 1 THEN
    {_ADD} {_first(_OUTCOMES_AT, _OUTCOME_TYPES)};
  ELSE
    {_ADD} {_all(_OUTCOMES_AT, _OUTCOME_TYPES)};
  END IF;
  IF cardinality(${_ROLLUPS_AT}) = 1 THEN
    {hot_sql.ADD_UP.head} {_first(_ROLLUPS_AT, _ROLLUP_TYPES)} {hot_sql.ADD_UP.tail};
  ELSE
    {hot_sql.ADD_UP.head} {_all(_ROLLUPS_AT, _ROLLUP_TYPES)} {hot_sql.ADD_UP.tail};
  END IF;
  RETURN 'done';
END $body$
"""  # noqa: S608 - names of our own


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
