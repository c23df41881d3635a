"""A share of the amounts that usage events state."""

from __future__ import annotations

from decimal import Decimal

from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.rating.usage import Usage, asides, common_data, counted_as, json_number, number, priced, within
from modelmint.commerce.types import Charge
from modelmint.kit.money import Money, UnitPrice

KIND = "percentage"


def lines(charge: Charge, usage: Usage) -> list[InvoiceLine]:
    """At most two lines: amounts that are included, and the share of the rest. Quantities are minor units."""
    if charge.percent is None:
        raise AssertionError(f"a percentage charge over {charge.meter} without a percentage")
    found = []
    spans = ((0, charge.included, Decimal(0)), (charge.included, None, charge.percent))
    for above, last, share in spans:
        before = within(usage.before, above, last)
        new = within(usage.before + usage.new, above, last) - before
        if new:
            included = last is not None
            found.append(_line(charge, usage, UnitPrice(share, usage.currency), (before, new), (above, last), included))
    return found


def _line(
    charge: Charge,
    usage: Usage,
    share: UnitPrice,
    part: tuple[Decimal, Decimal],
    span: tuple[int, int | None],
    included: bool,
) -> InvoiceLine:
    before, new = (Money(int(minor), share.currency).amount for minor in part)
    amount, rounded = priced(share, before, new)
    exact = f"{share.amount * new:f} {share.currency}" if rounded else str(amount)
    percent = number(share.amount * 100)
    stated = Money(int(part[1]), share.currency)
    what = counted_as(charge)
    mark = ", included" if included else ""
    text = f"amounts of {what} of {usage.month}{mark}: {percent} % of {stated} = {exact}"
    return InvoiceLine(
        description=f"{usage.title}: {percent} % of {what}",
        meter=charge.meter,
        quantity=number(new),
        unit_price=share,
        amount=amount,
        explanation="; ".join([text, *asides(usage, amount, rounded, (before, new))]),
        kind=KIND,
        data={
            **common_data(charge, usage),
            "first": span[0] + 1,
            "above": span[0],
            "last": span[1],
            "whole": False,
            "included": included,
            "before": json_number(before),
            "exact": exact,
            "rounded": rounded,
            "percent": f"{percent}",
        },
    )
