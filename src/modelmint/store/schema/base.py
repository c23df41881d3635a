"""What all tables share."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

metadata = MetaData()

#: Counts up by itself on both databases (SQLite wants exactly INTEGER for that).
Sequence = BigInteger().with_variant(Integer, "sqlite")
