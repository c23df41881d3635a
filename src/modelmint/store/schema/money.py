"""Closings, invoices, credit, the ledger."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from modelmint.store.schema.base import Sequence, metadata

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
    # "invoice" or "credit_note".
    Column("kind", Text, nullable=False, server_default="invoice"),
    # Canonical JSON of all that the body was computed from; null before there was replay, and in credit notes.
    Column("inputs", Text),
)

#: Whom an invoice names: personal data, outside the frozen body, so that it can be erased.
parties = Table(
    "parties",
    metadata,
    Column("invoice", Text, primary_key=True),
    Column("customer", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("tax_id", Text, nullable=False),
)

#: What happened to a finalised invoice: "paid", "void", "uncollectible", "payment_failed". Append-only.
invoice_events = Table(
    "invoice_events",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("invoice", Text, nullable=False, index=True),
    Column("status", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
)

#: Prepaid credit. Append-only; what is left is derived from ``burns``.
grants = Table(
    "grants",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("customer", Text, ForeignKey("customers.id"), nullable=False, index=True),
    Column("minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("expires_at", BigInteger),
    Column("source", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

#: Credit used by invoices; a negative row gives back what a void invoice had burnt. Append-only.
burns = Table(
    "burns",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("grant", Text, nullable=False, index=True),
    Column("invoice", Text, nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
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
    # sha256 over the former row's hash and this row (commerce.ledger.chain).
    Column("hash", Text, nullable=False, server_default=""),
    Index("ledger_entries_by_transaction", "transaction"),
)
