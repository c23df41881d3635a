"""What was used. Quantities are exact: ``Decimal`` here, whole millionths in the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from modelmint.commerce.types import Outcome
from modelmint.kit.money import Money
from modelmint.kit.period import Period

#: Meters that every call feeds, with what they count; other names are fed by events.
CALL_METERS = ("calls", "items", "megapixels", "characters", "tokens", "compute_ms", "explanations")
#: How a charge adds events up.
AGGREGATES = ("sum", "count", "max", "unique")


@dataclass(frozen=True, slots=True)
class Quantities:
    """What a set of usage events adds up to."""

    n: int = 0
    sum: Decimal = Decimal(0)
    largest: Decimal = Decimal(0)
    #: Stated amounts, minor units of the plan's currency.
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """Billable usage of one root subscription, meter, model, variant and answer state in one billing period.

    ``before`` is on earlier invoices, ``new`` is to be billed now.
    """

    #: First moment of the billing period in which the usage happened.
    period: datetime
    meter: str
    model: str
    variant: str
    state: str
    before: Quantities
    new: Quantities


@dataclass(frozen=True, slots=True)
class Distinct:
    """Different values of a meter in one billing period: seen in earlier parts, first seen in this one."""

    period: datetime
    meter: str
    before: int
    new: int


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """One usage event (CloudEvents 1.0), keyed (source, id) within the customer."""

    source: str
    id: str
    #: CloudEvents ``type``; ``dev.modelmint.usage`` unless said otherwise.
    type: str
    time: datetime
    meter: str
    quantity: Decimal = Decimal(1)
    #: What a ``unique`` charge counts the different ones of.
    value: str | None = None
    #: What a ``percentage`` charge takes its share of.
    amount: Money | None = None
    subject: str = ""
    model: str = ""
    variant: str = ""
    state: str = "ok"
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch of events."""

    accepted: int
    #: Known already, with the same content.
    duplicates: int
    #: Of the accepted, those whose period was closed: they come onto the next invoice.
    late: int


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some of what was booked, and where the next page begins; "" after the last one."""

    calls: tuple[Outcome, ...]
    events: tuple[UsageEvent, ...]
    next: str


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One row of a usage table: the wanted dimensions, the rest empty."""

    day: str
    model: str
    variant: str
    key: str
    meter: str
    state: str
    #: Outcomes or events.
    n: int
    quantity: Decimal


#: What a usage table can be cut by, besides the meter: quantities of different meters are never added.
DIMENSIONS = ("day", "model", "variant", "key", "state")


@dataclass(frozen=True, slots=True)
class UsageSummary:
    """A customer's billable usage in a period, by model and by day, and refused or failed calls by code."""

    customer: str
    period: Period
    calls: int
    items: int
    by_model: Mapping[str, int]
    by_day: Mapping[str, int]
    refused: Mapping[str, int]
    #: Key id -> calls, meter -> quantity (all meters that were fed, events included).
    by_key: Mapping[str, int] = field(default_factory=dict)
    by_meter: Mapping[str, Decimal] = field(default_factory=dict)
