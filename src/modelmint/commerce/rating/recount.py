"""Units on earlier invoices, counted anew: what they include changed with the time for which the plan is held.

An invoice in the middle of a billing period takes it that the plan is held to the end. Where it is not, or is taken up
again, the share of the period is another, and so is the price of what was billed. The difference stands in a line of
its own, so that all parts of a period sum to what the period costs, however it was cut.

Keys of ``InvoiceLine.data`` beside those of every usage line: ``units`` (billed before), ``then`` and ``now`` (what
they come to, as text), ``then_us`` and ``held_us`` of ``whole_us`` (microseconds for which the plan counted as held).
"""

from __future__ import annotations

from modelmint.commerce.moments import days_text
from modelmint.commerce.rating.share import Share
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.rating.usage import Usage, common_data, counted_as, json_number
from modelmint.commerce.types import Charge
from modelmint.kit.money import Money

KIND = "recount"


def lines(charge: Charge, usage: Usage, earlier: Share, amounts: tuple[Money, Money]) -> list[InvoiceLine]:
    """None where nothing changed. ``amounts``: of ``usage.before`` by the share that was ``earlier``, and as it is."""
    then, now = amounts
    if then == now:
        return []
    what, units, whole = counted_as(charge), json_number(usage.before), days_text(usage.share.whole)
    if charge.kind == "percentage":
        units = str(Money(int(usage.before), usage.currency))
    said = f"{what} of {usage.month}: {units} came to {then} for a plan held {days_text(earlier.held)} of {whole}"
    said += f"; for {days_text(usage.share.held)} they come to {now}"
    return [
        InvoiceLine(
            description=f"{usage.title}: {what} counted anew",
            meter=charge.meter,
            quantity=1,
            unit_price=None,
            amount=now - then,
            explanation=said,
            kind=KIND,
            data={
                **common_data(charge, usage),
                "units": units,
                "then": str(then),
                "now": str(now),
                "then_us": earlier.held,
                "held_us": usage.share.held,
                "whole_us": usage.share.whole,
            },
        )
    ]
