"""The one change that append-only usage events take: an erased customer's are emptied of what may be personal."""

from __future__ import annotations

import sqlalchemy as sa

#: What an emptied event keeps.
KEPT = (
    "seq", "customer", "subscription", "key", "meter", "quantity", "amount_minor", "currency", "model", "variant",
    "state", "time", "at", "received_at", "period",
)  # fmt: skip
_ERASED = "EXISTS (SELECT 1 FROM customers WHERE id = OLD.customer AND erased_at IS NOT NULL)"


def allow_emptying(connection: sa.Connection) -> None:
    """Replace the trigger that refuses every UPDATE of ``events`` by one that lets emptying through."""
    if connection.dialect.name == "sqlite":
        same = " AND ".join(f"NEW.{column} IS OLD.{column}" for column in KEPT)
        _run(
            connection,
            "DROP TRIGGER events_no_update",
            f"CREATE TRIGGER events_no_update BEFORE UPDATE ON events WHEN NOT ({same} AND {_ERASED}) "
            "BEGIN SELECT RAISE(ABORT, 'events is append-only'); END",
        )
        return
    same = " AND ".join(f"NEW.{column} IS NOT DISTINCT FROM OLD.{column}" for column in KEPT)
    _run(
        connection,
        "DROP TRIGGER events_append_only ON events",
        "CREATE TRIGGER events_append_only BEFORE DELETE OR TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION modelmint_append_only()",
        "CREATE FUNCTION modelmint_only_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF {same} AND {_ERASED} THEN RETURN NEW; END IF; "
        "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
        "CREATE TRIGGER events_only_emptied BEFORE UPDATE ON events "
        "FOR EACH ROW EXECUTE FUNCTION modelmint_only_emptied()",
    )


def _run(connection: sa.Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(sa.text(statement))
