"""Brings a database to the newest schema, from zero or from any released version."""

from __future__ import annotations

from sqlalchemy import Connection, column, inspect, select, table

from modelmint.store.errors import NewerBooks

#: The revision of the newest file in migrations/versions (a test compares).
HEAD = "0004"


def migrate(connection: Connection, target: str = HEAD) -> None:
    """Run what is missing, on ``connection`` and inside its transaction, which must exclude other writers.

    ``target`` is an older schema only where a backup of it is restored. Raises ``NewerBooks`` where the database, or
    the target, is ahead of this code. Alembic is loaded only where there is work.
    """
    found = revision_of(connection)
    if found == target:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "modelmint.store:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    for revision in (found, target):
        if revision is not None and revision not in known:
            raise NewerBooks(
                f"these books are at schema {revision}, this Modelmint knows up to {HEAD}; "
                "upgrade Modelmint and try again"
            )
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def revision_of(connection: Connection) -> str | None:
    """The schema that the database is at, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(select(column("version_num")).select_from(table("alembic_version"))).scalar()
