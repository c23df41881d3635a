"""Who sells for the venture, and through which channel customers came."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from modelmint.store.schema.base import Sequence, metadata

partners = Table(
    "partners",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    # A partner is a customer too: it holds keys, and owes or is owed.
    Column("customer", Text, ForeignKey("customers.id"), nullable=False, unique=True),
    # "commission" or "wholesale".
    Column("terms", Text, nullable=False),
    Column("rate", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

referrals = Table(
    "referrals",
    metadata,
    Column("code", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("partner", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("withdrawn_at", BigInteger),
)
