"""The hash chain: each entry's hash covers the former one, so that no row can be changed, moved or left out unseen.

The formula is for ever: books written years ago are checked with it. What it cannot see is a cut tail; for that
the last hash, the *head*, is noted elsewhere (``modelmint ledger head``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.kit.canonical import canonical_json

#: What stands before the first entry.
START = ""


def fields(entry: LedgerEntry) -> dict[str, Any]:
    """What an entry says, all but its own place and hash."""
    return {
        "id": entry.id,
        "transaction": entry.transaction,
        "account": entry.account,
        "minor": entry.amount.minor,
        "currency": entry.amount.currency,
        "at": entry.at,
        "memo": entry.memo,
        "data": entry.data,
    }


def content(entry: LedgerEntry) -> bytes:
    """The bytes of an entry that its hash covers."""
    return canonical_json(fields(entry))


def link(former: str, entry: LedgerEntry) -> str:
    """The hash of ``entry`` where ``former`` is the hash before it: sha256(former + content), hex."""
    return hashlib.sha256(former.encode() + content(entry)).hexdigest()


def chained(former: str, seq: int, entries: Iterable[LedgerEntry]) -> Iterator[LedgerEntry]:
    """``entries`` with their places after ``seq`` and their hashes after ``former``."""
    for entry in entries:
        seq, former = seq + 1, link(former, entry)
        yield replace(entry, seq=seq, hash=former)
