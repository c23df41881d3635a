"""A segment as JSON lines: what it is, the inputs, then one line for each entry with its place and hash."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from modelmint.commerce.ledger.chain import fields
from modelmint.commerce.ledger.errors import BadSegment
from modelmint.commerce.ledger.types import LedgerEntry, Segment
from modelmint.kit.canonical import canonical_json
from modelmint.kit.errors import ModelmintError
from modelmint.kit.money import Money

FORMAT = 1
_BROKEN = (ValueError, TypeError, KeyError, AttributeError, IndexError, ModelmintError)


def to_lines(segment: Segment) -> Iterator[str]:
    """Canonical lines, each with its end; ``from_text`` of them is the segment again."""
    head = {
        "kind": "segment",
        "format": FORMAT,
        "invoice": segment.invoice,
        "plan": segment.plan,
        "plan_version": segment.plan_version,
        "former": segment.former,
    }
    yield _line(head)
    yield _line({"kind": "inputs", "text": segment.inputs})
    for entry in segment.entries:
        yield _line({"kind": "entry", **entry_json(entry)})


def from_text(text: str) -> Segment:
    """The segment that ``to_lines`` wrote; raises ``BadSegment``."""
    try:
        head, inputs, *entries = [json.loads(line) for line in text.split("\n") if line]
        if head["kind"] != "segment" or head["format"] != FORMAT or inputs["kind"] != "inputs":
            raise ValueError(f"expected a segment of format {FORMAT}, found {head['kind']} of {head['format']}")
        return Segment(
            invoice=head["invoice"],
            plan=head["plan"],
            plan_version=head["plan_version"],
            former=head["former"],
            inputs=inputs["text"],
            entries=tuple(entry_from(entry) for entry in entries),
        )
    except _BROKEN as error:
        raise BadSegment(f"expected a segment as 'modelmint ledger export --invoice' writes it; {error!r}") from error


def entry_json(entry: LedgerEntry) -> dict[str, Any]:
    """An entry as plain fields, with its place and hash."""
    return {**fields(entry), "seq": entry.seq, "hash": entry.hash}


def entry_from(found: Mapping[str, Any]) -> LedgerEntry:
    """The entry that ``entry_json`` wrote."""
    return LedgerEntry(
        id=found["id"],
        transaction=found["transaction"],
        account=found["account"],
        amount=Money(found["minor"], found["currency"]),
        at=datetime.fromisoformat(found["at"]),
        memo=found["memo"],
        data=found["data"],
        seq=found["seq"],
        hash=found["hash"],
    )


def _line(value: Mapping[str, Any]) -> str:
    return canonical_json(value).decode() + "\n"
