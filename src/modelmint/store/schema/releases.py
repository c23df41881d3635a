"""Which release a public name serves."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from modelmint.store.schema.base import Sequence, metadata

deployments = Table(
    "deployments",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, index=True),
    Column("release", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("variant", Text),
    Column("at", BigInteger, nullable=False),
)
