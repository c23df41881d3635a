"""What ``POST /v1/events`` and files carry: CloudEvents in structured, batch and binary mode, and a plain list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from modelmint.commerce.metering.cloudevents import USAGE, events_from
from modelmint.commerce.metering.errors import BadEvents, TooManyEvents
from modelmint.commerce.metering.types import UsageEvent

STRUCTURED, BATCH, PLAIN = (
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/json",
)
#: Events in one batch.
MOST = 10_000
#: Digits before or after the point that a number may have.
FURTHEST = 60
_PREFIX = "ce-"


def events_in(media_type: str, headers: Mapping[str, str], body: bytes, now: datetime) -> list[UsageEvent]:
    """The events of a request; ``headers`` by lower-case name, ``media_type`` without parameters, lower case.

    Raises ``BadEvents``, ``TooManyEvents`` and what ``events_from`` raises; another media type than the three above
    is the caller's to refuse.
    """
    content = read_json(body)
    if media_type == BATCH:
        if not isinstance(content, list):
            raise BadEvents("expected a JSON list of CloudEvents in a batch, found another kind of JSON")
        return events_from(_few(content), now)
    if media_type == PLAIN and f"{_PREFIX}specversion" not in headers:
        listed = content.get("events") if isinstance(content, Mapping) else None
        if not isinstance(listed, list):
            raise BadEvents('expected {"events": [...]} with CloudEvents, or ce- headers, found neither')
        return events_from(_few(listed), now)
    if media_type == PLAIN:
        attributes = {name[len(_PREFIX) :]: unquote(value) for name, value in headers.items() if name[:3] == _PREFIX}
        return events_from([{**attributes, "data": content}], now)
    return events_from([content], now)


def _few(contents: list[Any]) -> list[Any]:
    if not contents:
        raise BadEvents("expected at least one event in the batch, found none")
    if len(contents) > MOST:
        raise TooManyEvents(
            f"expected at most {MOST:,} events in one batch, found {len(contents):,}; send several batches",
            details={"limit": MOST},
        )
    return contents


def read_json(body: bytes) -> Any:
    """JSON with its numbers exact: what has a point or an exponent is a ``Decimal``, never a binary fraction."""
    try:
        return json.loads(body, parse_float=_number, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadEvents(f"expected JSON in UTF-8, found something else ({error})") from error


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > FURTHEST:  # written out, 1e999999999 would fill the memory
        raise ValueError(f"the number {text[:20]} is beyond all measure")
    return number


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def event_from_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row of a CSV file, one column a field, as the content of an event; empty cells are left out."""
    cells: dict[str, Any] = {name: value for name, value in row.items() if name and value not in (None, "")}
    envelope: dict[str, Any] = {name: cells.pop(name) for name in ("id", "source", "time", "subject") if name in cells}
    return {"specversion": "1.0", "type": cells.pop("type", USAGE), **envelope, "data": cells}


def rows_of(lines: Iterable[str]) -> Iterator[Any]:
    """The events of a JSON-lines file, empty lines left out; a line that is no JSON stays text, which is no event."""
    for line in lines:
        if line.strip():
            try:
                yield read_json(line.encode())
            except BadEvents:
                yield line.strip()
