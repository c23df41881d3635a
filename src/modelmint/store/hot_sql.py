"""The statements of the hot path, prepared once, on the driver's own connection.

SQLAlchemy's layers would cost more than the statements themselves here; the schema and everything else use it.
One text serves both databases: ``{list}`` is the test for membership in a list of strings, ``{lock}`` keeps
the rows for this transaction where other processes write beside us (PostgreSQL; SQLite has one writer).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from modelmint.store.database import BOOKS_LOCK, Kind
from modelmint.store.log_file import FRAME_HEADER, lay_out

#: Rows in one statement: as many as fit of the largest first. A statement for each row would let go of the interpreter
#: each time, and wait until the callers give it back.
_AT_ONCE = (64, 48, 32, 24, 16, 12, 8, 7, 6, 5, 4, 3, 2, 1)
#: Pages of the log after which a commit copies it into the database file.
CHECKPOINT = 4000
#: Syncs after which the log is laid out, and after which it is looked whether it still is.
_BUSY, _LOOK = 256, 4096
#: Seconds after which PostgreSQL ends the transaction of a process that says nothing.
STOPPED = 5


class Insert:
    """An INSERT of many rows: what stands before and after the values."""

    def __init__(self, head: str, columns: int, tail: str = "") -> None:
        self.head, self.tail = head, tail
        row = f"({', '.join('?' * columns)})"
        #: By number of rows.
        self.texts = {n: f"{head} VALUES {', '.join([row] * n)} {tail}" for n in _AT_ONCE}


KEYS = (
    "SELECT digest, keys.id, customer, revoked_at, expires_at, scopes, anchor "
    "FROM keys JOIN customers ON customers.id = keys.customer WHERE digest {list}"
)
#: Spans that are held now or will be, and those of reservations, with the customer's anchor.
SUBSCRIPTIONS = (
    "SELECT id, customer, plan, plan_version, lifetime_calls, since, month, month_calls, next_call, starts_at, "
    "ends_at, state, prepaid_calls, prepaid_until, "
    "(SELECT anchor FROM customers WHERE customers.id = subscriptions.customer) "
    "FROM subscriptions "
    "WHERE (customer {list} AND (starts_at <= ? OR month >= 0) AND (ends_at IS NULL OR ends_at > ?)) OR id {list} "
    "ORDER BY id {lock}"
)
#: Counters of the plan's span before one that begins now, for a span planned ahead (see ``spans.NOT_BEGUN``).
COUNTERS_BEFORE = (
    "SELECT lifetime_calls, since, month, month_calls, next_call FROM subscriptions "
    "WHERE customer = ? AND plan = ? AND month >= 0 ORDER BY starts_at DESC, seq DESC LIMIT 1 {lock}"
)
PLAN = "SELECT body FROM plans WHERE name = ? AND version = ?"
#: What ``commerce.offers.on_sale`` says, in one statement.
OFFERS = (
    "SELECT name, version FROM (SELECT name, version, min(seq) OVER (PARTITION BY name) AS first, row_number() OVER "
    "(PARTITION BY name ORDER BY coalesce(effective_at, at) DESC, seq DESC) AS place "
    "FROM offers WHERE effective_at IS NULL OR effective_at <= ?) AS ranked "
    "WHERE place = 1 AND version IS NOT NULL ORDER BY first"
)
CLOSED_UNTIL = "SELECT max(ends_at) FROM closings"
RESERVATIONS = (
    "SELECT id, customer, key, subscription, model, calls, items, month, idempotency_key "
    "FROM reservations WHERE id {list} ORDER BY id {lock}"
)
#: Columns of an outcome in the order of ``batch.outcome_from``.
OUTCOME_COLUMNS = (
    "id", "customer", "key", "subscription", "model", "at", "status", "code", "billable", "calls", "items",
    "compute_us", "release", "variant", "prediction", "state", "pixels", "characters", "tokens", "explanations",
    "wall_us",
)  # fmt: skip
OUTCOME = f"SELECT {', '.join(OUTCOME_COLUMNS)} FROM outcomes WHERE id = ?"  # noqa: S608 - names of our own
ANSWER = "SELECT fingerprint, answer, at FROM idempotency WHERE customer = ? AND key = ?"

#: Leases: ours in this batch, recalled ones of ours, other processes' of a subscription, forgotten ones.
LEASES = "SELECT id, granted FROM leases WHERE id {list} ORDER BY id {lock}"
RECALLED = "SELECT id FROM leases WHERE owner = ? AND recalled = 1"
ABROAD = "SELECT id, owner, granted, month FROM leases WHERE subscription = ? AND owner <> ? ORDER BY id {lock}"
FORGOTTEN = "SELECT id, subscription, granted, month FROM leases WHERE id {list} AND owner <> ? ORDER BY id {lock}"
KNOWN = "SELECT id FROM outcomes WHERE id {list}"

ADD_LEASE = "INSERT INTO leases VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
GRANT = "UPDATE leases SET granted = ? WHERE id = ? AND recalled = 0"
#: Fails where the lease is recalled or gone, as a division by zero (PostgreSQL: one trip tells no count of rows).
STILL_OURS = "SELECT 1 / count(*) FROM leases WHERE id = ? AND recalled = 0"
FORGOTTEN_OF = "SELECT subscription FROM leases WHERE id {list} AND owner <> ?"
#: Later spans of the same plan: they took over what a span had counted.
LATER = (
    "SELECT id, month FROM subscriptions WHERE customer = (SELECT customer FROM subscriptions WHERE id = ?) "
    "AND plan = (SELECT plan FROM subscriptions WHERE id = ?) "
    "AND (starts_at, seq) > (SELECT starts_at, seq FROM subscriptions WHERE id = ?) ORDER BY id {lock}"
)
RECALL = "UPDATE leases SET recalled = 1 WHERE subscription = ? AND owner <> ? AND recalled = 0"
END_LEASE = "DELETE FROM leases WHERE id = ?"
ADD_RESERVATION = "INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
END_RESERVATION = "DELETE FROM reservations WHERE id = ?"
ADD_OUTCOMES = Insert(
    f"INSERT INTO outcomes ({', '.join(OUTCOME_COLUMNS)}, month)",
    len(OUTCOME_COLUMNS) + 1,
)
COUNT = "UPDATE subscriptions SET lifetime_calls = ?, since = ?, month = ?, month_calls = ?, next_call = ? WHERE id = ?"
#: What names a row of the roll-ups, and what is added up.
_NAMED = (
    "owner", "subscription", "bucket", "period", "key", "model", "variant", "release", "state", "status", "code",
    "billable",
)  # fmt: skip
_SUMS = ("n", "calls", "items", "pixels", "characters", "tokens", "compute_us", "explanations")
ROLLUP_COLUMNS = (*_NAMED, "customer", *_SUMS)
ADD_UP = Insert(
    f"INSERT INTO call_rollups ({', '.join(ROLLUP_COLUMNS)})",
    len(ROLLUP_COLUMNS),
    f"ON CONFLICT ({', '.join(_NAMED)}) DO UPDATE SET "
    + ", ".join(f"{name} = call_rollups.{name} + excluded.{name}" for name in _SUMS),
)
USED = "INSERT INTO key_uses VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET at = excluded.at"
OPEN_ANSWER = (
    "INSERT INTO idempotency (customer, key, fingerprint, answer, at) VALUES (?, ?, ?, NULL, ?) "
    "ON CONFLICT (customer, key) DO UPDATE SET fingerprint = excluded.fingerprint, answer = NULL, at = excluded.at"
)
KEEP_ANSWER = "UPDATE idempotency SET answer = ? WHERE customer = ? AND key = ?"
DROP_ANSWER = "DELETE FROM idempotency WHERE customer = ? AND key = ?"


class HotConnection:
    """Runs the statements above in one transaction after another."""

    def __init__(self, connection: Any, kind: Kind, file: Path | None) -> None:
        self._connection = connection
        self._log_file = "" if file is None else f"{file}-wal"
        self._log: int | None = None
        # The log is synced here and not by the commit, so that a transaction that promises nothing yet costs no
        # sync, and others may write while we sync. Where the system has no call for it every commit syncs.
        self._own_sync = kind == "sqlite" and sys.platform == "linux"
        self._cursor = connection.cursor()
        self.kind = kind
        self._texts: dict[str, str] = {}
        self._syncs, self._lay_out_at = 0, _BUSY
        #: Whether this session was taught to settle (express_sqlite, express_pg), None: not yet tried.
        self.settles: bool | None = None
        if self._own_sync:
            (self._page_size,) = self._cursor.execute("PRAGMA page_size").fetchone()
            # NORMAL: the log is synced before a checkpoint writes to the database file, not at every commit.
            self._cursor.execute("PRAGMA synchronous=NORMAL")
            self._cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT}")
        if kind == "postgresql":
            # A process that is stopped half way, not killed, does not hold up the others for ever.
            self._cursor.execute(f"SET idle_in_transaction_session_timeout = '{STOPPED}s'")

    def _text(self, statement: str) -> str:
        text = self._texts.get(statement)
        if text is None:
            if self.kind == "sqlite":
                text = statement.format(list="IN (SELECT value FROM json_each(?))", lock="")
            else:
                text = statement.format(list="= ANY(%s)", lock="FOR UPDATE").replace("?", "%s")
            self._texts[statement] = text
        return text

    def strings(self, values: Iterable[str]) -> Any:
        """A list of strings as the parameter for ``{list}``."""
        return json.dumps(list(values)) if self.kind == "sqlite" else list(values)

    def start(self) -> None:
        """Begin to write (SQLite)."""
        self._cursor.execute("BEGIN IMMEDIATE")
        if self.is_due():
            self._log_handle()  # open before anything can fail, so that a sync of it tells of every failure
            lay_out(self._log_file, (CHECKPOINT + CHECKPOINT // 8) * (self._page_size + FRAME_HEADER))
            self._lay_out_at = self._syncs + _LOOK

    def is_due(self) -> bool:
        """Whether the log is to be laid out in this transaction (SQLite)."""
        return self._own_sync and self._syncs >= self._lay_out_at

    def begin(self) -> int:
        """Start; after this nobody closes a period or changes a plan until the end. The last closing's end, or 0."""
        cursor = self._cursor
        if self.kind == "sqlite":
            self.start()
            closed = cursor.execute(CLOSED_UNTIL).fetchone()[0]
        else:  # one trip to the server; the last statement sees what was committed before the lock was had
            cursor.execute(f"BEGIN; SELECT pg_advisory_xact_lock_shared({BOOKS_LOCK}); {CLOSED_UNTIL}")
            while cursor.nextset():
                pass
            closed = cursor.fetchone()[0]
        return closed or 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        """What is written inside goes to the server in one trip, and fails at the end of the block at the latest."""
        if self.kind == "sqlite":
            yield
        else:
            with self._connection.pipeline():
                yield

    def commit(self, *, durable: bool) -> None:
        """Commit; ``durable``: synced to disk by this or by ``sync``, which the caller calls next."""
        if self.kind == "postgresql" and not durable:
            self._cursor.execute("SET LOCAL synchronous_commit = off")
        self._cursor.execute("COMMIT")

    def sync(self) -> None:
        """Sync what was committed, and with it all that was committed before, where the commit did not."""
        if self._own_sync:
            os.fdatasync(self._log_handle())
            self._syncs += 1

    def _log_handle(self) -> int:
        if self._log is None:
            self._log = os.open(self._log_file, os.O_RDONLY | os.O_CLOEXEC)
        return self._log

    def make_durable(self) -> None:
        """After a sync that failed: whatever is committed goes into the database file, or this fails, too."""
        if not self._own_sync:
            return
        busy, _, _ = self._cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise OSError("the log cannot be copied into the database file while somebody reads it")

    def rollback(self) -> None:
        """Undo; harmless where the database has undone by itself."""
        if self.kind == "sqlite" and not self._connection.in_transaction:
            return
        self._cursor.execute("ROLLBACK")

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""
        return list(self._cursor.execute(self._text(statement), values).fetchall())

    def many(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """The statement once for each of ``values``."""
        if values:
            self._cursor.executemany(self._text(statement), values)

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        """A statement as it is."""
        self._cursor.execute(statement, values)

    def add(self, insert: Insert, rows: Sequence[Sequence[Any]]) -> None:
        """``rows`` in as few statements as may be."""
        start, left = 0, len(rows)
        if left == 1:  # the most frequent number by far
            self._cursor.execute(self._text(insert.texts[1]), rows[0])
            return
        for size in _AT_ONCE:
            while left >= size:
                values = list(chain.from_iterable(rows[start : start + size]))
                self._cursor.execute(self._text(insert.texts[size]), values)
                start, left = start + size, left - size

    def server(self) -> Any:
        """The connection of libpq (PostgreSQL), for what the driver would make dear."""
        return self._connection.pgconn

    def update(self, statement: str, values: Sequence[Sequence[Any]], check: str) -> int:
        """``many``, and how many rows there were; in one trip with other writes ``check`` fails where a row is not."""
        self.many(statement, values)
        if self.kind == "sqlite":
            return int(self._cursor.rowcount) if values else 0
        for one in values:
            self._cursor.execute(self._text(check), one[-1:])
        return len(values)

    @property
    def broken(self) -> bool:
        """Whether a new connection is needed."""
        return self.kind == "postgresql" and bool(self._connection.closed or self._connection.broken)

    def close(self) -> None:
        """Close the connection."""
        if self._log is not None:
            os.close(self._log)
            self._log = None
        self._connection.close()
