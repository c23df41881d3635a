"""Usage events as CloudEvents 1.0: one event as JSON, and back.

A usage event has its quantity in ``data``: ``meter``, ``quantity``, ``value`` (what a ``unique`` charge counts the
different ones of), ``amount`` ("12.30 USD", what a percentage is taken of), ``model``, ``variant``, ``state``; other
members are kept as they are. Attributes that CloudEvents calls extensions are allowed and not kept. ``time`` is
needed, because an event that is sent twice must be the same event. None of these texts is to name a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from modelmint.commerce.metering.errors import Problem, UnknownSpecVersion, refusal
from modelmint.commerce.metering.fields import Reader, shown
from modelmint.commerce.metering.types import UsageEvent
from modelmint.commerce.types import Outcome
from modelmint.kit.canonical import canonical_json, plain
from modelmint.tasks import predictions

SPECVERSION = "1.0"
USAGE, CALL = "dev.modelmint.usage", "dev.modelmint.call"
#: Members of ``data`` that have a place of their own.
KNOWN = frozenset({"meter", "quantity", "value", "amount", "model", "variant", "state"})
LONGEST, LONGEST_DATA = 256, 4096


def events_from(contents: Iterable[object], now: datetime) -> list[UsageEvent]:
    """All events of a batch; raises every problem of every event at once, as one of the errors of ``errors``."""
    events: list[UsageEvent] = []
    problems: list[Problem] = []
    count = 0
    for count, content in enumerate(contents, start=1):
        reader = Reader(count - 1, now, problems)
        if isinstance(content, Mapping):
            events.append(_event(content, reader))
        else:
            reader.wrong(f"expected a CloudEvent as a JSON object, found {shown(content)}")
    if problems:
        raise refusal(problems, count)
    return events


def _event(content: Mapping[str, Any], reader: Reader) -> UsageEvent:
    if content.get("specversion") != SPECVERSION:
        found = shown(content.get("specversion"))
        reader.wrong(f"expected specversion {SPECVERSION!r} (CloudEvents 1.0), found {found}", UnknownSpecVersion)
    data = content.get("data")
    if not isinstance(data, Mapping):
        told = "data_base64" if "data_base64" in content else shown(data)
        reader.wrong(f"expected data as a JSON object with the meter, found {told}")
        data = {"meter": "unread"}
    text = reader.text
    return UsageEvent(
        source=text(content, "source", LONGEST),
        id=text(content, "id", LONGEST),
        type=text(content, "type", LONGEST),
        time=reader.time(content),
        meter=reader.meter(data),
        quantity=reader.quantity(data),
        value=None if data.get("value") is None else text(data, "value", LONGEST),
        amount=reader.amount(data),
        subject=text(content, "subject", LONGEST, ""),
        model=reader.part(data, "model"),
        variant=reader.part(data, "variant"),
        state=reader.state(data),
        data=_rest(data, reader) if data.keys() - KNOWN else {},
    )


def _rest(data: Mapping[str, Any], reader: Reader) -> Mapping[str, Any]:
    rest = {name: value for name, value in data.items() if name not in KNOWN}
    try:
        size = len(canonical_json(rest))
    except ValueError as error:  # a lone surrogate
        reader.wrong(f"expected further members of data as plain JSON ({type(error).__name__})")
        return {}
    if size > LONGEST_DATA:
        reader.wrong(f"expected at most {LONGEST_DATA} bytes of further members in data, found {size}")
    kept: Mapping[str, Any] = plain(rest)
    return kept


def present(event: UsageEvent) -> dict[str, Any]:
    """A usage event in JSON; ``events_from`` of it is the event again."""
    data: dict[str, Any] = {"meter": event.meter, "quantity": format(event.quantity, "f"), "state": event.state}
    if event.value is not None:
        data["value"] = event.value
    if event.amount is not None:
        data["amount"] = str(event.amount)
    if event.model:
        data["model"] = event.model
    if event.variant:
        data["variant"] = event.variant
    found = _envelope(event.source, event.id, event.type, event.time, {**event.data, **data})
    return {**found, "subject": event.subject} if event.subject else found


def present_call(outcome: Outcome, venture: str) -> dict[str, Any]:
    """A call, whatever became of it, as a CloudEvent of type ``dev.modelmint.call``."""
    quantities = {
        "calls": outcome.calls,
        "items": outcome.items,
        "pixels": outcome.pixels,
        "characters": outcome.characters,
        "tokens": outcome.tokens,
        "compute_ms": outcome.compute_ms,
        "explanations": outcome.explanations,
        "wall_ms": outcome.wall_ms,
    }
    data = {
        "meter": "calls",
        "quantity": str(outcome.calls if outcome.billable else 0),
        "status": outcome.status,
        "code": outcome.code,
        "billable": outcome.billable,
        "key": outcome.key,
        "subscription": outcome.subscription,
        "model": outcome.model,
        "release": outcome.release,
        "variant": outcome.variant,
        "prediction": predictions.shown(outcome.prediction),
        "state": outcome.state,
        **{name: str(found) if isinstance(found, Decimal) else found for name, found in quantities.items()},
    }
    source = f"/ventures/{venture}/models/{outcome.model}"
    return _envelope(source, outcome.id, CALL, outcome.at, data)


def _envelope(source: str, name: str, kind: str, time: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "specversion": SPECVERSION,
        "id": name,
        "source": source,
        "type": kind,
        "time": plain(time),
        "datacontenttype": "application/json",
        "data": data,
    }
