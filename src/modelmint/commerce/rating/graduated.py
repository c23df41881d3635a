"""Graduated tiers: each unit costs what the tier says in which it falls, counted from the start of the period."""

from __future__ import annotations

from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.rating.usage import Span, Usage, included_span, spans_lines
from modelmint.commerce.types import Charge

KIND = "graduated"


def lines(charge: Charge, usage: Usage) -> list[InvoiceLine]:
    """One line for each tier that the new units touch, after the included units.

    Units beyond a last tier that has an end cost what that tier says: admission keeps them from happening, and
    a unit that was served is never free by accident.
    """
    spans = included_span(charge, usage)
    above = charge.included
    for position, tier in enumerate(charge.tiers):
        open_end = position == len(charge.tiers) - 1 or tier.up_to is None
        end = None if tier.up_to is None else charge.included + tier.up_to
        spans.append(Span(above, None if open_end else end, tier.price))
        above = above if end is None else end
    return spans_lines(charge, usage, KIND, spans)
