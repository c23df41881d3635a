"""The one change that messages take: those of which no delivery is kept any more are deleted."""

from __future__ import annotations

import sqlalchemy as sa

_HELD = "EXISTS (SELECT 1 FROM deliveries WHERE message = OLD.id)"


def allow_purging(connection: sa.Connection) -> None:
    """Replace the trigger that refuses every DELETE of ``messages`` by one that lets go what is delivered and over."""
    if connection.dialect.name == "sqlite":
        statements = [
            "DROP TRIGGER messages_no_delete",
            f"CREATE TRIGGER messages_no_delete BEFORE DELETE ON messages WHEN {_HELD} "
            "BEGIN SELECT RAISE(ABORT, 'messages is append-only'); END",
        ]
    else:
        statements = [
            "DROP TRIGGER messages_append_only ON messages",
            "CREATE TRIGGER messages_append_only BEFORE UPDATE OR TRUNCATE ON messages "
            "FOR EACH STATEMENT EXECUTE FUNCTION modelmint_append_only()",
            "CREATE FUNCTION modelmint_only_purged() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN IF {_HELD} THEN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END IF; RETURN OLD; END $$",
            "CREATE TRIGGER messages_only_purged BEFORE DELETE ON messages "
            "FOR EACH ROW EXECUTE FUNCTION modelmint_only_purged()",
        ]
    for statement in statements:
        connection.execute(sa.text(statement))
