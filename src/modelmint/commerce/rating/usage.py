"""What every usage model is given, and how a quantity becomes an explained line.

Keys of ``InvoiceLine.data`` of a usage line, for whoever says it in another language (``kind`` is the price model):

- ``month``: the billing period in which it was used: ``2026-11``, or its first day where that is not the first.
- ``late``: True where that period was billed before these units were known.
- ``aggregate``: "sum", "count", "max", "unique"; ``fits``: {"model", "variant", "state"}, those that the charge names.
- ``before``: quantity of the same span on earlier invoices, in the unit of ``quantity`` (packages: packages).
- ``exact``: price before rounding; ``rounded``: whether rounding changed it.
- ``first``, ``last``: the span in whole units, ``last`` None where it is open; ``above``: the span begins after this.
- ``whole``: False where quantities have decimals; then a span reads "above ``above`` to ``last``".
- ``included``: True for units that cost nothing because the plan includes them.
- package lines: ``package`` (units in one), ``units`` and ``units_before`` (used now, before; beyond the included).
- percentage lines: ``percent`` ("2.5"); ``quantity`` is the stated amount in major units, ``first`` .. the same in
  minor units.
- ``held_us``, ``whole_us``: where included units and tiers are for a share of the period, microseconds of it.

Quantities with decimals are texts in ``data``, whole ones are integers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from modelmint.commerce.moments import days_text
from modelmint.commerce.rating.share import WHOLE, Share
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.types import Charge
from modelmint.kit.money import Money, UnitPrice


@dataclass(frozen=True, slots=True)
class Usage:
    """What a charge counts in one billing period: ``new`` after ``before``, which earlier invoices hold."""

    title: str
    currency: str
    #: Name of the billing period.
    month: str
    before: Decimal
    new: Decimal
    #: True where the period was billed before these units were known.
    late: bool
    #: Of the billing period; for this share of it units are included and tiers are wide.
    share: Share = WHOLE


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the period's units at one price: after ``above`` up to ``last`` (None: all that follow)."""

    above: int
    last: int | None
    price: UnitPrice
    included: bool = False


UsageModel = Callable[[Charge, Usage], list[InvoiceLine]]


def within(quantity: Decimal, above: int, last: int | None) -> Decimal:
    """How many of the first ``quantity`` units lie after ``above`` and up to ``last``."""
    return max(Decimal(0), (quantity if last is None else min(quantity, Decimal(last))) - above)


def priced(price: UnitPrice, before: Decimal, new: Decimal) -> tuple[Money, bool]:
    """The price of ``new`` units after ``before`` units, and whether it was rounded.

    The running total is rounded, not the part: price(before + new) - price(before). So the parts of a period
    sum to the period whatever the cuts (a telescoping sum), and no minor unit is lost or made.
    """
    amount = price.times(before + new) - price.times(before)
    return amount, amount.amount != price.amount * new


def spans_lines(charge: Charge, usage: Usage, kind: str, spans: list[Span]) -> list[InvoiceLine]:
    """One line for each span that the new units touch; ``spans`` follow each other from the first unit on."""
    found = []
    for span in spans:
        before = within(usage.before, span.above, span.last)
        new = within(usage.before + usage.new, span.above, span.last) - before
        if new:
            found.append(line(charge, usage, kind, span, (before, new)))
    return found


def included_span(charge: Charge, usage: Usage) -> list[Span]:
    """The units that the plan includes, if any: the first ones, at no price."""
    free = UnitPrice(Decimal(0), usage.currency)
    return [Span(0, charge.included, free, included=True)] if charge.included else []


def line(charge: Charge, usage: Usage, kind: str, span: Span, part: tuple[Decimal, Decimal]) -> InvoiceLine:
    """The line for ``part`` = (before, new) units of ``span``."""
    before, new = part
    amount, rounded = priced(span.price, before, new)
    exact = f"{span.price.amount * new:f} {span.price.currency}" if rounded else str(amount)
    whole = is_whole(usage.before) and is_whole(usage.new)
    where = _where(span, whole)
    what = counted_as(charge)
    included = ", included" if span.included else ""
    notes = [f"{what}{where} of {usage.month}{included}: {number(new)} x {span.price} = {exact}"]
    return InvoiceLine(
        description=f"{usage.title}: {what}{where}",
        meter=charge.meter,
        quantity=number(new),
        unit_price=span.price,
        amount=amount,
        explanation="; ".join(notes + asides(usage, amount, rounded, part)),
        kind=kind,
        data={
            **common_data(charge, usage),
            "first": span.above + 1,
            "above": span.above,
            "last": span.last,
            "whole": whole,
            "included": span.included,
            "before": json_number(before),
            "exact": exact,
            "rounded": rounded,
        },
    )


def asides(usage: Usage, amount: Money, rounded: bool, part: tuple[Decimal, Decimal]) -> list[str]:
    """What else a line says of itself: rounding, earlier invoices, lateness."""
    before, new = part
    notes = []
    if rounded:
        notes.append(f"{amount} after rounding the period's running total of {number(before + new)}")
    if before:
        notes.append(f"{number(before)} are billed already")
    if usage.late:
        notes.append(f"counted after {usage.month} was closed")
    if usage.share.is_partial:
        held, whole = days_text(usage.share.held), days_text(usage.share.whole)
        notes.append(f"included units and tiers are for {held} of {whole}")
    return notes


def common_data(charge: Charge, usage: Usage) -> dict[str, Any]:
    """The keys of ``data`` that every usage line has."""
    found = {"month": usage.month, "late": usage.late, "aggregate": charge.aggregate, "fits": fits_data(charge)}
    if usage.share.is_partial:  # nothing else is said of whole periods than what older invoices say
        found |= {"held_us": usage.share.held, "whole_us": usage.share.whole}
    return found


def fits_data(charge: Charge) -> dict[str, str]:
    """What the charge asks of usage, as far as it asks anything."""
    asked = {"model": charge.fits.model, "variant": charge.fits.variant, "state": charge.fits.state}
    return {name: value for name, value in asked.items() if value is not None}


_AGGREGATES = {"sum": "", "count": "number of ", "max": "largest ", "unique": "different "}


def counted_as(charge: Charge) -> str:
    """What is counted, in words: ``calls (model lungs, state abstained)``, ``different patients``."""
    asked = ", ".join(f"{name} {value}" for name, value in fits_data(charge).items())
    return f"{_AGGREGATES[charge.aggregate]}{charge.meter}" + (f" ({asked})" if asked else "")


def _where(span: Span, whole: bool) -> str:
    if span.above == 0 and span.last is None:
        return ""
    if whole:
        return f" {span.above + 1} and up" if span.last is None else f" {span.above + 1} to {span.last}"
    return f" above {span.above}" if span.last is None else f" above {span.above} to {span.last}"


def is_whole(quantity: Decimal) -> bool:
    """Whether there is nothing behind the point."""
    return quantity == quantity.to_integral_value()


def number(quantity: Decimal) -> int | Decimal:
    """``quantity`` without needless zeros: an ``int`` where it is whole."""
    return int(quantity) if is_whole(quantity) else Decimal(f"{quantity:f}".rstrip("0"))


def json_number(quantity: Decimal) -> int | str:
    """``quantity`` for ``data``: text where it has decimals, since JSON's own fractions are not exact."""
    found = number(quantity)
    return found if isinstance(found, int) else f"{found:f}"
