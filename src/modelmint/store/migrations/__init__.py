"""The database's history, one file per step; Alembic runs them from zero."""
