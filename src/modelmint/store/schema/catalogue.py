"""Plans, which versions are on sale, who holds which."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from modelmint.store.schema.base import Sequence, metadata

plans = Table(
    "plans",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

#: Which version of a plan is on sale since when: of the rows of a name that are in effect the newest in effect
#: counts, of equals the later row. No version: withdrawn.
offers = Table(
    "offers",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("version", Text),
    Column("at", BigInteger, nullable=False),
    # Since when it counts; null: since ``at``.
    Column("effective_at", BigInteger),
    # "file" or "api": who put it there.
    Column("origin", Text, nullable=False, server_default="file"),
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
    # First span of the same holding; null: this one.
    Column("root", Text),
    Column("state", Text, nullable=False, server_default="active"),
    # Prepaid plans: ``lifetime_calls`` may rise to this until then; null elsewhere. Found anew when grants change.
    Column("prepaid_calls", BigInteger),
    Column("prepaid_until", BigInteger),
)
