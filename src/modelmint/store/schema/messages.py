"""What goes out to webhooks, and what goes to and comes from payment providers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text, UniqueConstraint

from modelmint.store.schema.base import Sequence, metadata

#: Where messages go. The secret signs, so it must be kept.
endpoints = Table(
    "endpoints",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("owner", Text, nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    # Signs along until then, so that a receiver can change over in its own time.
    Column("former_secret", Text),
    Column("former_until", BigInteger),
    # Space-separated; "*" for all.
    Column("kinds", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
)

#: What happened, written in the transaction in which it did. Never changed; goes once no delivery of it is kept.
messages = Table(
    "messages",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("customer", Text),
    Column("body", Text, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("message", Text, nullable=False, index=True),
    Column("endpoint", Text, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, index=True),
    Column("last_status", Integer),
    Column("last_error", Text, nullable=False),
    # When it was delivered or given up.
    Column("done_at", BigInteger, index=True),
)

#: A customer's name at a payment provider.
payment_customers = Table(
    "payment_customers",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("customer", Text, primary_key=True),
    Column("reference", Text, nullable=False),
)

payment_attempts = Table(
    "payment_attempts",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("invoice", Text, nullable=False, index=True),
    Column("provider", Text, nullable=False),
    Column("reference", Text, nullable=False, index=True),
    Column("minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    # "collect": we asked; "checkout": the customer pays on the provider's page.
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("next_at", BigInteger, index=True),
    # Minor units given back so far.
    Column("refunded", BigInteger, nullable=False, server_default="0"),
)

#: What providers told, each once. Append-only.
payment_events = Table(
    "payment_events",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

#: What of usage a provider is told: a customer's use of a meter on a day; parts after the first are what came late.
usage_reports = Table(
    "usage_reports",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    # The identifier under which it counts once.
    Column("id", Text, nullable=False, unique=True),
    Column("provider", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("meter", Text, nullable=False),
    Column("day", BigInteger, nullable=False),
    Column("part", Integer, nullable=False),
    # Millionths of this part; the whole units that are told; the millionths that the next report takes along.
    Column("counted", BigInteger, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("carry", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    # Since when nobody knows whether it came; null: it did not, or it is known that it did.
    Column("doubt_since", BigInteger),
    Column("next_at", BigInteger, index=True),
    UniqueConstraint("provider", "customer", "meter", "day", "part"),
)
