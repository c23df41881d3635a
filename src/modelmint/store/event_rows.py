"""A batch of usage events made ready: rows, sums and values, so that the transaction only has to write them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from modelmint.commerce.metering.errors import EventConflict, MeterFull, NegativeQuantity, Problem, TooPrecise, refusal
from modelmint.commerce.metering.placing import Place, Places, Standing, misplaced
from modelmint.commerce.metering.types import Recorded, UsageEvent
from modelmint.commerce.moments import micros, moment
from modelmint.kit.canonical import canonical_json
from modelmint.kit.money import Money
from modelmint.store.quantities import MILLIONTHS, exact

#: Columns of ``events`` in the order of a row.
COLUMNS = (
    "customer", "source", "id", "digest", "type", "subject", "subscription", "key", "meter", "quantity", "value",
    "amount_minor", "currency", "model", "variant", "state", "time", "at", "received_at", "period", "data",
)  # fmt: skip
#: Sums stay below this, so that the database adds them exactly.
FULL = 9_000_000_000_000_000_000

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose events, reported with which key ("" for the founder), received when."""

    customer: str
    key: str
    now: int


class Batch:
    """What one batch writes, as far as it is new.

    ``known`` holds the digests by (source, id) of what the books hold already. Raises every problem at once, as one of
    the errors of ``commerce.metering.errors``.
    """

    def __init__(
        self,
        sender: Sender,
        events: Sequence[UsageEvent],
        standing: Standing,
        known: Mapping[tuple[str, str], str],
    ) -> None:
        self.rows: list[Row] = []
        #: (subscription, bucket, period, meter, model, variant, state) -> n, quantity, largest, amount.
        self.sums: dict[Row, list[int]] = {}
        #: (subscription, meter, period, value) -> the first bucket.
        self.values: dict[Row, int] = {}
        self.duplicates = self.late = 0
        self._standing = standing
        self._sender, self._places, self._seen = sender, Places(standing, sender.now), dict(known)
        self._problems: list[Problem] = []
        for index, event in enumerate(events):
            self._add(index, event)
        if any(total >= FULL for sums in self.sums.values() for total in sums):
            raise full()
        if self._problems:
            raise refusal(self._problems, len(events))

    @property
    def recorded(self) -> Recorded:
        """What is told."""
        return Recorded(len(self.rows), self.duplicates, self.late)

    @property
    def plans(self) -> dict[str, tuple[str, str]]:
        """Name and version of the plan of each subscription."""
        return {span.subscription: span.plan for span in self._standing.spans}

    @property
    def spends_credit(self) -> bool:
        """Whether fewer calls are paid by prepaid credit after it."""
        used = {(cell[0], cell[3]) for cell in self.sums}
        return self._standing.spends_credit(used, self._sender.now)

    def _add(self, index: int, event: UsageEvent) -> None:
        time, amount = micros(event.time), event.amount
        millionths = event.quantity.scaleb(-MILLIONTHS)
        quantity = int(millionths)
        if quantity != millionths or quantity < 0:
            self._problems.append(_uncountable(event.quantity, index))
            return
        data = canonical_json(event.data).decode() if event.data else "{}"
        minor, currency = (None, None) if amount is None else (amount.minor, amount.currency)
        digest = _digest(event, (time, quantity, minor, currency), data)
        former = self._seen.get((event.source, event.id))
        if former is not None:
            self._again(index, event, former == digest)
            return
        self._seen[event.source, event.id] = digest
        place = self._places.of(time)
        if place is None or (currency is not None and currency != place.currency):
            self._problems.append(misplaced(place, currency, index))
            return
        sender = self._sender
        self.rows.append(
            (sender.customer, event.source, event.id, digest, event.type, event.subject, place.subscription, sender.key,
             event.meter, quantity, event.value, minor, currency, event.model, event.variant, event.state, time,
             time if place.booked is None else place.booked, sender.now, place.period, data)
        )  # fmt: skip
        self.late += place.late
        self._sum(event, place, quantity, minor or 0)

    def _sum(self, event: UsageEvent, place: Place, quantity: int, minor: int) -> None:
        subscription, bucket, period = place.subscription, place.bucket, place.period
        cell = (subscription, bucket, period, event.meter, event.model, event.variant, event.state)
        sums = self.sums.get(cell)
        if sums is None:
            self.sums[cell] = [1, quantity, quantity, minor]
        else:
            sums[0] += 1
            sums[1] += quantity
            if quantity > sums[2]:
                sums[2] = quantity
            sums[3] += minor
        if event.value is not None:
            value = (subscription, event.meter, period, event.value)
            if bucket < self.values.setdefault(value, bucket):
                self.values[value] = bucket

    def _again(self, index: int, event: UsageEvent, same: bool) -> None:
        if same:
            self.duplicates += 1
        else:
            text = f"id {event.id!r} of source {event.source!r} is known with other content; give it an id of its own"
            self._problems.append(Problem(index, EventConflict, text))


def _digest(event: UsageEvent, exact_content: tuple[int | str | None, ...], data: str) -> str:
    """sha256 of all that the event says; none of its texts holds a line break, so they cannot run together."""
    time, quantity, minor, currency = exact_content
    content = (
        f"{event.type}\n{time}\n{event.meter}\n{quantity}\n{event.value or ''}\n{minor} {currency}\n{event.subject}\n"
        f"{event.model}\n{event.variant}\n{event.state}\n{data}"
    )
    return hashlib.sha256(content.encode()).hexdigest()


def _uncountable(quantity: Decimal, index: int) -> Problem:
    if quantity < 0:
        return Problem(index, NegativeQuantity, f"expected a quantity of 0 or more, found {quantity}")
    return Problem(index, TooPrecise, f"expected a quantity of at most {-MILLIONTHS} decimals, found {quantity}")


def full() -> MeterFull:
    """The refusal of a batch that would make a sum inexact."""
    return MeterFull("expected a meter's sum of one day to stay below 9,000,000,000,000; use a larger unit")


def event_from(row: Any) -> UsageEvent:
    """The event that a row of ``events`` (a mapping) holds."""
    minor = row["amount_minor"]
    return UsageEvent(
        source=row["source"],
        id=row["id"],
        type=row["type"],
        time=moment(row["time"]),
        meter=row["meter"],
        quantity=exact(row["quantity"], MILLIONTHS),
        value=row["value"],
        amount=None if minor is None else Money(minor, row["currency"]),
        subject=row["subject"],
        model=row["model"],
        variant=row["variant"],
        state=row["state"],
        data=json.loads(row["data"]),
    )
