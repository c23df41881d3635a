"""Writing a batch of usage events, as fast as each database takes many rows.

SQLite takes them row by row through one prepared statement. PostgreSQL takes them as one COPY into a table of this
connection, and one INSERT from there. Both leave out what is there already, and both say how many they took.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, text

from modelmint.store.database import Kind
from modelmint.store.event_rows import COLUMNS, FULL, Batch, Sender, full

_NAMES = ", ".join(COLUMNS)
_INSERT = f"INSERT INTO events ({_NAMES}) VALUES ({', '.join('?' * len(COLUMNS))}) ON CONFLICT DO NOTHING"  # noqa: S608
_STAGE = (
    f"CREATE TEMPORARY TABLE IF NOT EXISTS new_events ON COMMIT DELETE ROWS AS SELECT {_NAMES} FROM events "  # noqa: S608
    "WITH NO DATA"
)
_COPY = f"COPY new_events ({_NAMES}) FROM STDIN"
_TAKE = f"INSERT INTO events ({_NAMES}) SELECT {_NAMES} FROM new_events ON CONFLICT DO NOTHING"  # noqa: S608
#: What the batch names and the books hold.
_KNOWN = {
    "sqlite": (
        "SELECT e.source, e.id, e.digest FROM json_each(?) AS wanted CROSS JOIN events AS e ON e.customer = ? "
        "AND e.source = json_extract(wanted.value, '$[0]') AND e.id = json_extract(wanted.value, '$[1]')"
    ),
    "postgresql": "SELECT e.source, e.id, e.digest FROM new_events JOIN events AS e USING (customer, source, id)",
}
_SUM = text(
    "INSERT INTO event_rollups (subscription, bucket, period, meter, model, variant, state, key, customer, n, "
    "quantity, largest, amount_minor) VALUES (:subscription, :bucket, :period, :meter, :model, :variant, :state, :key, "
    ":customer, :n, :quantity, :largest, :amount) "
    "ON CONFLICT (subscription, bucket, period, meter, model, variant, state, key) DO UPDATE SET "
    "n = event_rollups.n + excluded.n, quantity = event_rollups.quantity + excluded.quantity, "
    "largest = CASE WHEN excluded.largest > event_rollups.largest THEN excluded.largest "
    "ELSE event_rollups.largest END, amount_minor = event_rollups.amount_minor + excluded.amount_minor "
    "WHERE event_rollups.quantity < :full - excluded.quantity "
    "AND event_rollups.amount_minor < :full - excluded.amount_minor"
)
_CELL = ("subscription", "bucket", "period", "meter", "model", "variant", "state")
_FIRST = "INSERT INTO uniques (subscription, meter, period, value, bucket)"
_SOONER = (
    "ON CONFLICT (subscription, meter, period, value) DO UPDATE SET bucket = excluded.bucket "
    "WHERE excluded.bucket < uniques.bucket"
)
_LISTS = "SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::bigint[])"
_VALUES = {"sqlite": f"{_FIRST} VALUES (?, ?, ?, ?, ?) {_SOONER}", "postgresql": f"{_FIRST} {_LISTS} {_SOONER}"}


class EventWriter:
    """Writes batches of one customer in an open transaction that no other batch of that customer shares."""

    def __init__(self, connection: Connection, kind: Kind) -> None:
        self._connection, self._kind = connection, kind

    def add(self, batch: Batch) -> bool:
        """Add the rows; False where some of them are there already, and then the transaction is not to be committed."""
        if not batch.rows:
            return True
        run = self._connection.exec_driver_sql
        if self._kind == "postgresql":
            self._stage(batch)
            return run(_TAKE).rowcount == len(batch.rows)
        return run(_INSERT, batch.rows).rowcount == len(batch.rows)

    def known(self, batch: Batch) -> dict[tuple[str, str], str]:
        """Digests by (source, id) of those of the batch's events that the books hold."""
        if self._kind == "postgresql":
            self._stage(batch)
        found = self._connection.exec_driver_sql(_KNOWN[self._kind], self._named(batch))
        return {(source, name): digest for source, name, digest in found}

    def _stage(self, batch: Batch) -> None:
        self._connection.exec_driver_sql(_STAGE)
        self._connection.exec_driver_sql("TRUNCATE new_events")  # what was staged before in this transaction
        driver: Any = self._connection.connection.cursor()
        with driver, driver.copy(_COPY) as copy:
            for row in batch.rows:
                copy.write_row(row)

    def _named(self, batch: Batch) -> tuple[Any, ...]:
        if self._kind == "postgresql":
            return ()
        return json.dumps([row[1:3] for row in batch.rows]), batch.rows[0][0]

    def add_up(self, batch: Batch, sender: Sender) -> None:
        """Add the batch to the roll-ups; raises ``MeterFull``."""
        if not batch.rows:
            return
        cells = [
            {**dict(zip(_CELL, cell, strict=True)), "n": n, "quantity": quantity, "largest": largest, "amount": amount}
            for cell, (n, quantity, largest, amount) in batch.sums.items()
        ]
        same = {"key": sender.key, "customer": sender.customer, "full": FULL}
        written = self._connection.execute(_SUM, [{**cell, **same} for cell in cells]).rowcount
        if written != len(cells):
            raise full()
        values = [(*value, bucket) for value, bucket in batch.values.items()]
        if values:
            columns = values if self._kind == "sqlite" else tuple(list(column) for column in zip(*values, strict=True))
            self._connection.exec_driver_sql(_VALUES[self._kind], columns)
