"""Where an event belongs: who held what when it happened, its billing period, when it is booked. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from modelmint.commerce.errors import NoPlan
from modelmint.commerce.metering.errors import MixedCurrencies, Problem
from modelmint.commerce.moments import micros, moment
from modelmint.kit.period import billing_period

DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """A span of a subscription, not paused, in microseconds; ``currency`` is its plan's."""

    subscription: str
    start: int
    end: int | None
    currency: str | None
    #: Meters that its plan charges, and whether calls are admitted as far as prepaid credit goes.
    charged: frozenset[str] = frozenset()
    prepaid: bool = False
    #: Name and version of its plan.
    plan: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a customer decides where events belong."""

    spans: tuple[Span, ...]
    anchor: int
    #: Where the customer's last closing ended, 0 before the first.
    closed: int

    def spends_credit(self, used: Iterable[tuple[str, str]], now: int) -> bool:
        """Whether usage (subscription, meter) leaves less of the credit that calls are admitted on."""
        if not any(span.prepaid and (span.end is None or span.end > now) for span in self.spans):
            return False
        charged = {span.subscription: span.charged for span in self.spans}
        return any(meter in charged[subscription] for subscription, meter in used)


@dataclass(frozen=True, slots=True)
class Place:
    """Where events belong that happened from ``start`` on until ``end``: at most a day of one span."""

    start: int
    end: int
    subscription: str
    currency: str | None
    period: int
    bucket: int
    #: When all of them are booked; None: when they happened.
    booked: int | None
    #: They happened in a closed period.
    late: bool


class Places:
    """The places of one customer's events, each found once.

    What happened before the last closing ended is booked now, because a closed period is never added to; what
    happened after it is booked when it happened. What a clock that is ahead dates after now happened now: in the
    billing period, and under the plan, of now. Else it were billed in a period before its own, which counts it in
    neither's included units, tiers, cap and minimum.
    """

    def __init__(self, standing: Standing, now: int) -> None:
        self._standing = standing
        self._now = max(now, standing.closed)
        self._known: dict[int, list[Place]] = {}
        self._ahead: Place | None = None

    def of(self, time: int) -> Place | None:
        """Where what happened at ``time`` belongs; None where no plan was held then."""
        if time > self._now:
            if self._ahead is None:
                found = self.of(self._now)
                self._ahead = None if found is None else replace(found, booked=self._now)
            return self._ahead
        day = self._known.setdefault(time // DAY, [])
        for place in day:
            if place.start <= time < place.end:
                return place
        for span in self._standing.spans:
            if span.start <= time and (span.end is None or time < span.end):
                day.append(self._found(span, time))
                return day[-1]
        return None

    def _found(self, span: Span, time: int) -> Place:
        now, closed = self._now, self._standing.closed
        midnight = time - time % DAY
        start, end = max(midnight, span.start), min(midnight + DAY, span.end or midnight + DAY)
        booked = None
        if time < closed:
            end, booked = min(end, closed), now
        else:
            start, end = max(start, closed), min(end, now + 1)
        return Place(
            start=start,
            end=end,
            subscription=span.subscription,
            currency=span.currency,
            period=micros(billing_period(moment(time), self._standing.anchor).start),
            bucket=max((time if booked is None else booked) // DAY * DAY, closed),
            booked=booked,
            late=time < closed,
        )


def misplaced(place: Place | None, currency: str | None, index: int) -> Problem:
    """Why an event with an amount in ``currency``, if any, cannot be booked at ``place``."""
    if place is None:
        return Problem(index, NoPlan, "expected a plan held, and not paused, when it happened; found none")
    held = place.currency or "none, because the plan has no price"
    text = f"expected an amount in the currency of the plan held then ({held}), found {currency}"
    return Problem(index, MixedCurrencies, text)
