"""The shop: scopes, effective dates, leases, usage events, credit, the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from modelmint.store.migrations.backfill_chain import chain_old_entries, take_names_out
from modelmint.store.migrations.emptying import allow_emptying

revision = "0002"
down_revision = "0001"

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: What a key could do before there were scopes.
SCOPES = "events invoices keys predict usage"
APPEND_ONLY = ("events", "grants", "burns", "invoice_events", "audit")


def upgrade() -> None:
    """New columns, new tables, then the triggers that keep history."""
    _columns()
    _people()
    _calls()
    _events()
    _uniques()
    _money()
    chain_old_entries(op.get_bind())
    take_names_out(op.get_bind())
    for table in ("ledger_entries", "invoices", *APPEND_ONLY):
        _guard(table)
    allow_emptying(op.get_bind())
    _add_up_calls()
    op.drop_table("tallies")  # call_rollups tells the same


def _guard(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    else:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION modelmint_append_only()"
        )


def _columns() -> None:
    op.add_column("customers", sa.Column("anchor", sa.SmallInteger(), nullable=False, server_default="1"))
    op.add_column("customers", sa.Column("tax_rate", sa.Text(), nullable=False, server_default="0"))
    op.add_column("customers", sa.Column("tax_name", sa.Text(), nullable=False, server_default=""))
    op.add_column("customers", sa.Column("tax_id", sa.Text(), nullable=False, server_default=""))
    op.add_column("customers", sa.Column("address", sa.Text(), nullable=False, server_default=""))
    op.add_column("customers", sa.Column("language", sa.Text(), nullable=False, server_default="en"))
    op.add_column("customers", sa.Column("partner", sa.Text()))
    op.add_column("customers", sa.Column("channel", sa.Text()))
    op.add_column("customers", sa.Column("erased_at", sa.BigInteger()))
    op.add_column("customers", sa.Column("label", sa.Text()))
    op.create_index("ix_customers_channel", "customers", ["channel"])
    op.create_index("ix_customers_label", "customers", ["label"])
    op.create_index("ix_customers_partner", "customers", ["partner"])
    op.add_column("invoices", sa.Column("kind", sa.Text(), nullable=False, server_default="invoice"))
    op.add_column("invoices", sa.Column("inputs", sa.Text()))
    op.add_column("keys", sa.Column("scopes", sa.Text(), nullable=False, server_default=SCOPES))
    op.add_column("keys", sa.Column("expires_at", sa.BigInteger()))
    op.add_column("keys", sa.Column("replaces", sa.Text()))
    op.add_column("ledger_entries", sa.Column("hash", sa.Text(), nullable=False, server_default=""))
    op.create_index("ledger_entries_by_transaction", "ledger_entries", ["transaction"])
    op.add_column("offers", sa.Column("effective_at", sa.BigInteger()))
    op.add_column("offers", sa.Column("origin", sa.Text(), nullable=False, server_default="file"))
    op.add_column("outcomes", sa.Column("state", sa.Text(), nullable=False, server_default=""))
    op.add_column("outcomes", sa.Column("pixels", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("outcomes", sa.Column("characters", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("outcomes", sa.Column("tokens", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("outcomes", sa.Column("explanations", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("outcomes", sa.Column("wall_us", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("subscriptions", sa.Column("root", sa.Text()))
    op.add_column("subscriptions", sa.Column("state", sa.Text(), nullable=False, server_default="active"))
    op.add_column("subscriptions", sa.Column("prepaid_calls", sa.BigInteger()))
    op.add_column("subscriptions", sa.Column("prepaid_until", sa.BigInteger()))


def _people() -> None:
    op.create_table(
        "key_uses",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("seq", COUNTER, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])
    op.create_table(
        "alarms",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("data", sa.Text(), nullable=False),
    )
    op.create_index("ix_alarms_key", "alarms", ["key"])


def _calls() -> None:
    op.create_table(
        "leases",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.BigInteger(), nullable=False),
        sa.Column("recalled", sa.SmallInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_leases_customer", "leases", ["customer"])
    op.create_index("ix_leases_subscription", "leases", ["subscription"])
    op.create_table(
        "call_rollups",
        sa.Column("owner", sa.Text(), primary_key=True),
        sa.Column("subscription", sa.Text(), primary_key=True),
        sa.Column("bucket", sa.BigInteger(), primary_key=True),
        sa.Column("period", sa.BigInteger(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("model", sa.Text(), primary_key=True),
        sa.Column("variant", sa.Text(), primary_key=True),
        sa.Column("release", sa.Text(), primary_key=True),
        sa.Column("state", sa.Text(), primary_key=True),
        sa.Column("status", sa.SmallInteger(), primary_key=True),
        sa.Column("code", sa.Text(), primary_key=True),
        sa.Column("billable", sa.SmallInteger(), primary_key=True),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("pixels", sa.BigInteger(), nullable=False),
        sa.Column("characters", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("compute_us", sa.BigInteger(), nullable=False),
        sa.Column("explanations", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("call_rollups_by_customer", "call_rollups", ["customer", "bucket"])
    op.create_index("call_rollups_by_bucket", "call_rollups", ["bucket"])


def _add_up_calls() -> None:
    """Fill ``call_rollups`` from the outcomes that are there.

    The bucket is what the hot path would have written: midnight of the day of booking, or the newest closing before
    it, whosever, where that is later. The state of answers was not kept then.
    """
    op.execute(
        "INSERT INTO call_rollups (owner, subscription, bucket, period, key, model, variant, release, state, status, "
        "code, billable, customer, n, calls, items, pixels, characters, tokens, compute_us, explanations) "
        "SELECT '', subscription, CASE WHEN closed > day THEN closed ELSE day END, month, key, model, variant, "
        "release, state, status, code, billable, customer, count(*), sum(calls), sum(items), 0, 0, 0, "
        "sum(compute_us), 0 FROM ("
        "SELECT coalesce(subscription, '') AS subscription, at - at % 86400000000 AS day, "
        "coalesce((SELECT max(ends_at) FROM closings WHERE ends_at <= outcomes.at), 0) AS closed, month, key, model, "
        "coalesce(variant, '') AS variant, coalesce(release, '') AS release, state, status, code, billable, customer, "
        "calls, items, compute_us FROM outcomes) AS rows "
        "GROUP BY 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13"
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", COUNTER, primary_key=True, autoincrement=True),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text()),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("meter", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Text()),
        sa.Column("amount_minor", sa.BigInteger()),
        sa.Column("currency", sa.Text()),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.UniqueConstraint("customer", "source", "id"),
    )
    op.create_index("events_by_customer", "events", ["customer", "at"])
    op.create_table(
        "event_rollups",
        sa.Column("subscription", sa.Text(), primary_key=True),
        sa.Column("bucket", sa.BigInteger(), primary_key=True),
        sa.Column("period", sa.BigInteger(), primary_key=True),
        sa.Column("meter", sa.Text(), primary_key=True),
        sa.Column("model", sa.Text(), primary_key=True),
        sa.Column("variant", sa.Text(), primary_key=True),
        sa.Column("state", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("largest", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("event_rollups_by_customer", "event_rollups", ["customer", "bucket"])


def _uniques() -> None:
    op.create_table(
        "uniques",
        sa.Column("subscription", sa.Text(), primary_key=True),
        sa.Column("meter", sa.Text(), primary_key=True),
        sa.Column("period", sa.BigInteger(), primary_key=True),
        sa.Column("value", sa.Text(), primary_key=True),
        sa.Column("bucket", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )


def _money() -> None:
    op.create_table(
        "parties",
        sa.Column("invoice", sa.Text(), primary_key=True),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("tax_id", sa.Text(), nullable=False),
    )
    op.create_index("ix_parties_customer", "parties", ["customer"])
    op.create_table(
        "invoice_events",
        sa.Column("seq", COUNTER, primary_key=True, autoincrement=True),
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
    )
    op.create_index("ix_invoice_events_invoice", "invoice_events", ["invoice"])
    op.create_table(
        "grants",
        sa.Column("seq", COUNTER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text(), nullable=False, unique=True),
        sa.Column("customer", sa.Text(), sa.ForeignKey("customers.id"), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_grants_customer", "grants", ["customer"])
    op.create_table(
        "burns",
        sa.Column("seq", COUNTER, primary_key=True, autoincrement=True),
        sa.Column("grant", sa.Text(), nullable=False),
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_burns_grant", "burns", ["grant"])
