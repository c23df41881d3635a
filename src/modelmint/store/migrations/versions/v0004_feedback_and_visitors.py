"""Feedback, consents, and what visitors of the trial page leave."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("feedback", "consents")


def upgrade() -> None:
    """New tables, then the triggers that keep history."""
    _feedback()
    _consents()
    _visitors()
    for table in APPEND_ONLY:
        _guard(table)


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


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("seq", COUNTER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text(), nullable=False, unique=True),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("prediction", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("permille", sa.SmallInteger()),
        sa.Column("abstained", sa.SmallInteger()),
        sa.Column("truth", sa.Text()),
        sa.Column("thumbs", sa.Text()),
        sa.Column("commented", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("feedback_by_customer", "feedback", ["customer", "seq"])
    op.create_index("feedback_by_prediction", "feedback", ["prediction", "seq"])
    op.create_table(
        "remarks",
        sa.Column("feedback", sa.Text(), primary_key=True),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text()),
    )
    op.create_index("ix_remarks_customer", "remarks", ["customer"])
    op.create_index("remarks_by_key", "remarks", ["customer", "idempotency_key"], unique=True)


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("seq", COUNTER, primary_key=True, autoincrement=True),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("given", sa.SmallInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_consents_customer", "consents", ["customer"])


def _visitors() -> None:
    op.create_table(
        "leads",
        sa.Column("seq", COUNTER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text(), nullable=False, unique=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("prediction", sa.Text()),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("consent", sa.Text()),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_leads_at", "leads", ["at"])
    op.create_index("ix_leads_email", "leads", ["email"])
    op.create_table(
        "tries",
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("day", sa.BigInteger(), primary_key=True),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tries_at", "tries", ["at"])
