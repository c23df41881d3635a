"""Customers, their keys, and what is kept about both."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, SmallInteger, Table, Text

from modelmint.store.schema.base import Sequence, metadata

meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

customers = Table(
    "customers",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    Column("email", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # Day of the month on which billing periods begin.
    Column("anchor", SmallInteger, nullable=False, server_default="1"),
    # Decimal text: 0.19 for 19 %.
    Column("tax_rate", Text, nullable=False, server_default="0"),
    Column("tax_name", Text, nullable=False, server_default=""),
    Column("tax_id", Text, nullable=False, server_default=""),
    Column("address", Text, nullable=False, server_default=""),
    Column("language", Text, nullable=False, server_default="en"),
    Column("partner", Text, index=True),
    Column("channel", Text, index=True),
    Column("erased_at", BigInteger),
    # What a partner's customer is called; then ``name`` is its id. Names are unique among direct customers, and among
    # one partner's, so that no partner learns from a refusal whom another one has.
    Column("label", Text, index=True),
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
    # Space-separated, sorted. The default is what keys could do before there were scopes.
    Column("scopes", Text, nullable=False, server_default="events invoices keys predict usage"),
    Column("expires_at", BigInteger),
    Column("replaces", Text),
)

#: Last call of a key, written at most once a minute; beside the key so that calls never write its row.
key_uses = Table(
    "key_uses",
    metadata,
    Column("key", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
)

#: Who did what. Append-only; names nobody in plain text.
audit = Table(
    "audit",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("data", Text, nullable=False),
)

#: Keys that behave unlike themselves.
alarms = Table(
    "alarms",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, index=True),
    Column("customer", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("data", Text, nullable=False),
)

#: What customers agreed to, and took back: the newest row of a subject counts. Holds ids only.
consents = Table(
    "consents",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("customer", Text, nullable=False, index=True),
    Column("subject", Text, nullable=False),
    Column("given", SmallInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
