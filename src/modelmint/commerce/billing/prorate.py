"""Money shared over time, so that no cut loses or makes a minor unit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from modelmint.commerce.billing.types import Held
from modelmint.commerce.moments import micros
from modelmint.commerce.rating.share import Share
from modelmint.commerce.types import Subscription
from modelmint.kit.money import Money
from modelmint.kit.period import Period


def prorate(fee: Money, whole: int, a: int, b: int) -> Money:
    """The share of ``fee`` that falls to the stretch from ``a`` to ``b`` of ``whole`` equal units of time.

    round(fee x b : whole) - round(fee x a : whole), half away from zero. So the shares of any cut of a stretch sum
    to the stretch's, and those of the whole to the fee (a telescoping sum).
    """
    return Money(_share(fee.minor, whole, b) - _share(fee.minor, whole, a), fee.currency)


def _share(minor: int, whole: int, part: int) -> int:
    size = (2 * abs(minor) * part + whole) // (2 * whole)
    return size if minor >= 0 else -size


def merged(held: Iterable[Held]) -> list[Held]:
    """``held`` in order, without spans of no length; spans that touch or overlap are one."""
    found: list[Held] = []
    for span in sorted(held, key=lambda span: span.start):
        if span.end is not None and span.end <= span.start:
            continue
        last = found[-1] if found else None
        if last is None or (last.end is not None and last.end < span.start):
            found.append(span)
        elif last.end is not None:
            ends = None if span.end is None else max(last.end, span.end)
            found[-1] = Held(last.start, ends)
    return found


def held_within(held: Iterable[Held], start: datetime, end: datetime) -> int:
    """Microseconds between ``start`` and ``end`` in which something was held."""
    total = 0
    for span in merged(held):
        first = max(span.start, start)
        last = end if span.end is None else min(span.end, end)
        total += max(micros(last) - micros(first), 0)
    return total


def counted_until(held: Iterable[Held], whole: Period, at: datetime) -> int:
    """Microseconds of ``whole`` in which something is held, as a closing that ends at ``at`` sees it.

    What was begun before and does not end with the closing counts as held to the end of ``whole``, whatever is planned
    after: a plan can be undone, and what a closing took for granted is found again from the spans alone.
    """
    spans = merged(held)
    goes_on = any(span.start < at and (span.end is None or span.end > at) for span in spans)
    return held_within(spans, whole.start, at) + (micros(whole.end) - micros(at) if goes_on else 0)


def share_held(spans: Iterable[Subscription], root: str, whole: Period) -> Share:
    """The share of ``whole`` for which the holding of ``root`` counts, if nothing of it changes any more."""
    held = [Held(span.starts_at, span.ends_at) for span in spans if span.root == root and span.state == "active"]
    return Share(counted_until(held, whole, whole.end), micros(whole.end) - micros(whole.start))


def held_share(fee: Money, held: Iterable[Held], whole: Period, part: Period) -> Money:
    """The share of ``fee``, for the time ``whole``, of what was held in ``part`` of it after what was before."""
    spans = list(held)
    a = held_within(spans, whole.start, part.start)
    b = a + held_within(spans, part.start, part.end)
    return prorate(fee, micros(whole.end) - micros(whole.start), a, b)
