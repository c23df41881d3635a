"""Where an event belongs: who held what when it happened, its billing period, when it is booked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelmint.commerce.errors import NoPlan
from modelmint.commerce.metering.errors import MixedCurrencies, Problem
from modelmint.commerce.moments import micros, moment
from modelmint.kit.money import Money
from modelmint.kit.period import billing_period

DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """A span of a subscription, not paused, microseconds; ``currency`` is its plan's."""

    subscription: str
    root: str
    start: int
    end: int | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """What is the same for all events of one day, span and side of the last closing."""

    subscription: str
    root: str
    period: int
    bucket: int
    #: It happened in a closed period.
    late: bool
    currency: str | None
    #: From which moment of happening on, until which, this place holds.
    start: int
    end: int
    #: When all of them are booked; None: when they happened.
    booked: int | None


class Places:
    """The places of one customer's events, found once for each day and span.

    ``closed`` is where the customer's last closing ended: what happened before it is booked now, because a closed
    period is never added to, and what happened after it is booked when it happened, or now where a clock is ahead.
    """

    def __init__(self, spans: Sequence[Span], anchor: int, closed: int, now: int) -> None:
        self._spans, self._anchor, self._closed = spans, anchor, closed
        self._now = max(now, closed)
        self._last: Place | None = None

    def of(self, time: int) -> Place | None:
        """Where what happened at ``time`` belongs; None where no plan was held then."""
        last = self._last
        if last is not None and last.start <= time < last.end:
            return last
        span = next((s for s in self._spans if s.start <= time and (s.end is None or time < s.end)), None)
        if span is None:
            return None
        self._last = self._found(span, time)
        return self._last

    def _found(self, span: Span, time: int) -> Place:
        midnight = time - time % DAY
        start, end = max(midnight, span.start), midnight + DAY
        if span.end is not None:
            end = min(end, span.end)
        late = time < self._closed
        ahead = not late and time > self._now
        if late:
            end = min(end, self._closed)
        elif ahead:
            start = max(start, self._now + 1)
        else:
            start, end = max(start, self._closed), min(end, self._now + 1)
        booked = self._now if late or ahead else None
        day = (booked if booked is not None else time) // DAY * DAY
        return Place(
            subscription=span.subscription,
            root=span.root,
            period=micros(billing_period(moment(time), self._anchor).start),
            bucket=max(day, self._closed),
            late=late,
            currency=span.currency,
            start=start,
            end=end,
            booked=booked,
        )


def misplaced(place: Place | None, amount: Money | None, index: int) -> Problem | None:
    """Why an event cannot be booked at ``place``."""
    if place is None:
        return Problem(index, NoPlan, "expected a plan held, and not paused, when it happened; found none")
    if amount is not None and amount.currency != place.currency:
        held = place.currency or "none, because the plan has no price"
        text = f"expected an amount in the currency of the plan held then ({held}), found {amount.currency}"
        return Problem(index, MixedCurrencies, text)
    return None
