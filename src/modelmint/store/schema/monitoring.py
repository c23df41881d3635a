"""Feedback, and what visitors of the trial page leave."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, SmallInteger, Table, Text

from modelmint.store.schema.base import Sequence, metadata

#: What customers said of predictions. Append-only: a correction is a row.
feedback = Table(
    "feedback",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("customer", Text, nullable=False),
    Column("key", Text, nullable=False),
    # As customers know it: with ".N" where the call had several inputs.
    Column("prediction", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("release", Text, nullable=False),
    Column("variant", Text, nullable=False),
    # The label that was answered, null where that is not known; thousandths of its probability.
    Column("answer", Text),
    Column("permille", SmallInteger),
    Column("abstained", SmallInteger),
    Column("truth", Text),
    Column("thumbs", Text),
    # 1 where a comment came with it, kept or not.
    Column("commented", SmallInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("feedback_by_customer", "customer", "seq"),
    Index("feedback_by_prediction", "prediction", "seq"),
)

#: What in feedback is free text, and digests of it; goes with an erased customer.
remarks = Table(
    "remarks",
    metadata,
    Column("feedback", Text, primary_key=True),
    Column("customer", Text, nullable=False, index=True),
    Column("comment", Text, nullable=False),
    # sha256 over all that was said, to know it again.
    Column("digest", Text, nullable=False),
    Column("idempotency_key", Text),
    Index("remarks_by_key", "customer", "idempotency_key", unique=True),
)

#: What visitors of the trial page left: a word, an address, or both.
leads = Table(
    "leads",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("email", Text, nullable=False, index=True),
    Column("comment", Text, nullable=False),
    Column("prediction", Text),
    Column("language", Text, nullable=False),
    # The words agreed to where an address was left, else null.
    Column("consent", Text),
    Column("at", BigInteger, nullable=False, index=True),
)

#: What was used up of the trial page: by visitor, by network address (both as keyed digests), in all. ``day`` is the
#: first moment of the day; of visitors it is 0, whose tries do not come back.
tries = Table(
    "tries",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("day", BigInteger, primary_key=True),
    Column("used", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)
