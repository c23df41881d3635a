"""The tables, as the newest migration leaves them (a test compares the two).

Times are microseconds since 1970 UTC; money is minor units; compute time is whole microseconds. Rows of
``outcomes``, ``invoices``, ``ledger_entries``, ``deployments``, ``plans``, ``offers`` and ``closings`` are never
changed: triggers refuse UPDATE and DELETE.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

#: Counts up by itself on both databases (SQLite wants exactly INTEGER for that).
Sequence = BigInteger().with_variant(Integer, "sqlite")

APPEND_ONLY = ("plans", "offers", "outcomes", "closings", "invoices", "ledger_entries", "deployments")

meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

customers = Table(
    "customers",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    Column("email", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("customer", Text, ForeignKey("customers.id"), nullable=False, index=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

plans = Table(
    "plans",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

#: Which version of a plan is on sale since when; the newest row of a name counts. No version: withdrawn.
offers = Table(
    "offers",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("version", Text),
    Column("at", BigInteger, nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("customer", Text, ForeignKey("customers.id"), nullable=False, index=True),
    Column("plan", Text, nullable=False),
    Column("plan_version", Text, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger),
    # The counters of commerce.admission.
    Column("lifetime_calls", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("month", BigInteger, nullable=False),
    Column("month_calls", BigInteger, nullable=False),
    Column("next_call", BigInteger, nullable=False),
)

#: Calls under way. ``owner`` is the process that serves them (see process.py).
reservations = Table(
    "reservations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("subscription", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("month", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("idempotency_key", Text),
    sqlite_with_rowid=False,
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("customer", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("subscription", Text),
    Column("model", Text, nullable=False),
    # When it was booked: never inside a period that was closed before. Periods are billed by it.
    Column("at", BigInteger, nullable=False),
    # First moment of the month in which it happened. Tiers count by it.
    Column("month", BigInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("billable", SmallInteger, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("compute_us", BigInteger, nullable=False),
    Column("release", Text),
    Column("variant", Text),
    Column("prediction", Text),
    Index("outcomes_by_customer", "customer", "at"),
)

#: Outcomes counted as they are written, so that /metrics reads no history. One row per writer on PostgreSQL.
tallies = Table(
    "tallies",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("status", SmallInteger, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
)

#: Answers of idempotent calls, kept for a day; ``answer`` is null while the call is under way.
idempotency = Table(
    "idempotency",
    metadata,
    Column("customer", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("answer", LargeBinary),
    Column("at", BigInteger, nullable=False, index=True),
)

#: What was billed: each customer's closings follow each other without a gap.
closings = Table(
    "closings",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("customer", Text, ForeignKey("customers.id"), nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("customer", "ends_at"),
)

invoices = Table(
    "invoices",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("customer", Text, ForeignKey("customers.id"), nullable=False, index=True),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("transaction", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("memo", Text, nullable=False),
    Column("data", Text, nullable=False),
)

deployments = Table(
    "deployments",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, index=True),
    Column("release", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("variant", Text),
    Column("at", BigInteger, nullable=False),
)
