"""Usage events from outside, and what they add up to."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text, UniqueConstraint

from modelmint.store.schema.base import Sequence, metadata

#: Usage events of batch jobs and edge devices (CloudEvents), keyed (source, id) within the customer. Append-only.
events = Table(
    "events",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("customer", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    # sha256 of the canonical event: the same key with other content is refused.
    Column("digest", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("subscription", Text),
    Column("key", Text, nullable=False),
    Column("meter", Text, nullable=False),
    # Millionths.
    Column("quantity", BigInteger, nullable=False),
    Column("value", Text),
    Column("amount_minor", BigInteger),
    Column("currency", Text),
    Column("model", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("state", Text, nullable=False),
    # When it happened, when it is booked (never inside a closed period), when it came.
    Column("time", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    # First moment of the billing period in which it happened.
    Column("period", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
    UniqueConstraint("customer", "source", "id"),
    Index("events_by_customer", "customer", "at"),
)

#: Events added up as they are written, like ``call_rollups``.
event_rollups = Table(
    "event_rollups",
    metadata,
    Column("subscription", Text, primary_key=True),
    Column("bucket", BigInteger, primary_key=True),
    Column("period", BigInteger, primary_key=True),
    Column("meter", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("variant", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("customer", Text, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("largest", BigInteger, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Index("event_rollups_by_customer", "customer", "bucket"),
    sqlite_with_rowid=False,
)

#: Each different value of a meter in a billing period, with the bucket in which it was first booked.
uniques = Table(
    "uniques",
    metadata,
    Column("subscription", Text, primary_key=True),
    Column("meter", Text, primary_key=True),
    Column("period", BigInteger, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("bucket", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
