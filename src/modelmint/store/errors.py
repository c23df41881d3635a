"""What can go wrong between the books and their database."""

from __future__ import annotations

from modelmint.kit.errors import Conflict, Corrupted, InvalidInput, Unavailable


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
