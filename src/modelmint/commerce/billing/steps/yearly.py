"""The yearly fee, in advance: charged where a year begins or the plan is taken up again, the unused rest given back
where the holding ends.

Years count from the first moment of the first holding. Taking up inside a year costs what is left of it; ending
inside one gives back what is left. Both are shares of one running total, so a year held in any number of stretches
costs what was held of it, to the minor unit.

Keys of ``InvoiceLine.data``: ``from``, ``to`` (the year, days), ``at`` (the day on which it was taken up or given
up), ``rest_us``, ``whole_us`` (microseconds left of the year, and of all of it), ``fee`` (as text), ``returned``
(True where the rest is given back).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from modelmint.commerce.billing.periods import length, year_of
from modelmint.commerce.billing.prorate import held_within, merged, prorate
from modelmint.commerce.billing.steps.fees import share_of
from modelmint.commerce.billing.types import Held
from modelmint.commerce.billing.work import Work
from modelmint.commerce.moments import days_text, micros
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.kit.money import Money, UnitPrice
from modelmint.kit.period import Period

KIND = "flat_yearly"


@dataclass(frozen=True, slots=True)
class Turn:
    """A moment at which the rest of ``year`` is charged, or given back."""

    at: datetime
    year: Period
    returned: bool


def step(work: Work) -> Work:
    """A line for each year that begins or is taken up in this part, and for each that is given up."""
    fee = work.plan.yearly
    if fee is None:
        return work
    turns = turns_in(work.inputs.held, work.inputs.since, work.inputs.part)
    found = [_line(work, fee, turn) for turn in turns]
    return work.add([line for line in found if line.amount.minor])


def turns_in(held: tuple[Held, ...], since: datetime, part: Period) -> list[Turn]:
    """In order of time. A beginning belongs to the part that holds it, an ending to the part that ends with it or
    holds it: no span ends at the end of a closing without having been planned before (see ``store.contracts``).
    """
    found: list[Turn] = []
    for span in merged(held):
        found += [Turn(at, year, False) for at, year in _begun(span, since, part.end) if at in part]
        if span.end is not None and part.start < span.end <= part.end:
            year = year_of(span.end, since)
            if year.start != span.end:
                found.append(Turn(span.end, year, True))
    return sorted(found, key=lambda turn: (turn.at, not turn.returned))


def yearly_share(fee: Money, held: tuple[Held, ...], since: datetime, period: Period) -> Money:
    """What of a yearly fee falls to the time held in ``period``: for minimum commitments and service credit."""
    total, start = Money(0, fee.currency), period.start
    while start < period.end:
        year = year_of(start, since)
        end = min(year.end, period.end)
        a = held_within(held, year.start, start)
        total = total + prorate(fee, length(year), a, a + held_within(held, start, end))
        start = end
    return total


def _begun(span: Held, since: datetime, until: datetime) -> Iterator[tuple[datetime, Period]]:
    """The span's start and every year that begins inside it, up to ``until``."""
    at = span.start
    while at < until and (span.end is None or at < span.end):
        year = year_of(at, since)
        yield at, year
        at = year.end


def _line(work: Work, fee: Money, turn: Turn) -> InvoiceLine:
    whole = length(turn.year)
    rest = micros(turn.year.end) - micros(turn.at)
    amount = prorate(fee, whole, whole - rest, whole)
    amount = -amount if turn.returned else amount
    years = f"{turn.year.start:%Y-%m-%d} to {turn.year.end:%Y-%m-%d}"
    if rest == whole:
        said = f"the yearly fee for {years}: 1 x {fee}"
    else:
        rests = f"{days_text(rest)} of {days_text(whole)} x {fee} = {amount}"
        said = f"{'given back' if turn.returned else 'the rest'} of the yearly fee for {years}: {rests}"
    share = 1 if rest == whole else share_of(rest, whole)
    return InvoiceLine(
        description=f"{work.plan.title}, {'unused rest of ' if turn.returned else ''}{years}",
        meter=None,
        quantity=-share if turn.returned else share,
        unit_price=UnitPrice(fee.amount, fee.currency),
        amount=amount,
        explanation=said,
        kind=KIND,
        data={
            "from": f"{turn.year.start:%Y-%m-%d}",
            "to": f"{turn.year.end:%Y-%m-%d}",
            "at": f"{turn.at:%Y-%m-%d}",
            "rest_us": rest,
            "whole_us": whole,
            "fee": str(fee),
            "returned": turn.returned,
        },
    )
