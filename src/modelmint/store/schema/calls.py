"""Calls: under way, ended, added up."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, SmallInteger, Table, Text

from modelmint.store.schema.base import Sequence, metadata

#: Calls under way that are held one by one. ``owner`` is the process that serves them (see process.py).
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

#: Quota lent to a process: ``granted`` calls are counted on the subscription already, used or not (see leases.py).
leases = Table(
    "leases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer", Text, nullable=False, index=True),
    Column("subscription", Text, nullable=False, index=True),
    Column("owner", Text, nullable=False),
    Column("granted", BigInteger, nullable=False),
    # The counters' month: first moment of the billing period that they count.
    Column("month", BigInteger, nullable=False),
    # 1: give back what is not used and start no call on it.
    Column("recalled", SmallInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
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
    # First moment of the billing period in which it happened. Tiers count by it.
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
    # State of the answer: "ok" or "abstained"; "" where there was none.
    Column("state", Text, nullable=False, server_default=""),
    Column("pixels", BigInteger, nullable=False, server_default="0"),
    Column("characters", BigInteger, nullable=False, server_default="0"),
    Column("tokens", BigInteger, nullable=False, server_default="0"),
    Column("explanations", BigInteger, nullable=False, server_default="0"),
    # From arrival to settlement, as the caller waited.
    Column("wall_us", BigInteger, nullable=False, server_default="0"),
    Index("outcomes_by_customer", "customer", "at"),
)

#: Outcomes added up as they are written: what usage tables and closings read. ``bucket`` is the first moment of the
#: day in which they were booked, or the last closing's end where that is later, so that no bucket lies on both sides
#: of a closing.
call_rollups = Table(
    "call_rollups",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("subscription", Text, primary_key=True),
    Column("bucket", BigInteger, primary_key=True),
    Column("period", BigInteger, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("variant", Text, primary_key=True),
    Column("release", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("status", SmallInteger, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("billable", SmallInteger, primary_key=True),
    Column("customer", Text, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("pixels", BigInteger, nullable=False),
    Column("characters", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("compute_us", BigInteger, nullable=False),
    Column("explanations", BigInteger, nullable=False),
    Index("call_rollups_by_customer", "customer", "bucket"),
    Index("call_rollups_by_bucket", "bucket"),
    sqlite_with_rowid=False,
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
