"""Packages: a begun package is paid in full, once, in whichever part of the period it was begun."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.rating.usage import (
    Usage,
    asides,
    common_data,
    counted_as,
    included_span,
    json_number,
    number,
    priced,
    spans_lines,
    within,
)
from modelmint.commerce.types import Charge

KIND = "package"


def lines(charge: Charge, usage: Usage) -> list[InvoiceLine]:
    """What is included, then the packages begun by the new units; none begun is said too."""
    price = charge.tiers[0].price
    found = spans_lines(charge, usage, KIND, included_span(charge, usage))
    units_before = within(usage.before, charge.included, None)
    units = within(usage.before + usage.new, charge.included, None) - units_before
    if not units:
        return found
    before = _begun(units_before, charge.package)
    begun = _begun(units_before + units, charge.package) - before
    amount, rounded = priced(price, before, begun)
    exact = f"{price.amount * begun:f} {price.currency}" if rounded else str(amount)
    what = counted_as(charge)
    beyond = f" beyond the included {charge.included}" if charge.included else ""
    after = f" after {number(units_before)}" if units_before else ""
    begins = f"{number(units)}{after} begin {begun:f} of {charge.package} each"
    text = f"{what} of {usage.month}{beyond}: {begins}: {begun:f} x {price} = {exact}"
    line = InvoiceLine(
        description=f"{usage.title}: {what}, packages of {charge.package}",
        meter=charge.meter,
        quantity=number(begun),
        unit_price=price,
        amount=amount,
        explanation="; ".join([text, *asides(usage, amount, rounded, (before, begun))]),
        kind=KIND,
        data={
            **common_data(charge, usage),
            "first": charge.included + 1,
            "above": charge.included,
            "last": None,
            "whole": True,
            "included": False,
            "before": json_number(before),
            "exact": exact,
            "rounded": rounded,
            "package": charge.package,
            "units": json_number(units),
            "units_before": json_number(units_before),
        },
    )
    return [*found, line]


def _begun(units: Decimal, size: int) -> Decimal:
    """Packages of ``size`` that hold ``units``, the last one perhaps not full."""
    # Divided in whole millionths, the grain of the books, so that no quotient is cut by the decimal context.
    millionths = int(units.scaleb(6).to_integral_value(rounding=ROUND_CEILING))
    return Decimal(-(-millionths // (size * 1_000_000)))
