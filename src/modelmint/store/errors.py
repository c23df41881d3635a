"""What can go wrong between the books and their database."""

from __future__ import annotations

from modelmint.kit.errors import Conflict, Corrupted, InvalidInput, NotFound, Unavailable


class BooksUnavailable(Unavailable):
    """The database cannot be read or written now: full disk, no connection, busy for too long."""

    code = "books_unavailable"


class BooksCorrupted(Corrupted):
    """The database says of itself that it is damaged."""

    code = "books_corrupted"


class BadDatabaseUrl(InvalidInput):
    """The database URL is neither SQLite nor PostgreSQL."""

    code = "bad_database_url"


class NewerBooks(Conflict):
    """The books were written by a newer Modelmint."""

    code = "newer_books"


class NoBooks(NotFound):
    """A database holds no books yet."""

    code = "no_books"


class BooksNotEmpty(Conflict):
    """Books are restored into an empty database only."""

    code = "books_not_empty"


class BackupCorrupted(Corrupted):
    """A backup is cut off, was changed, or does not prove right."""

    code = "backup_corrupted"
