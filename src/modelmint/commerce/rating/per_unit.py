"""Every unit at one price, after the included ones."""

from __future__ import annotations

from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.rating.usage import Span, Usage, included_span, spans_lines
from modelmint.commerce.types import Charge

KIND = "per_unit"


def lines(charge: Charge, usage: Usage) -> list[InvoiceLine]:
    """At most two lines: what is included, and the rest; none where nothing was used."""
    spans = [*included_span(charge, usage), Span(charge.included, None, charge.tiers[0].price)]
    return spans_lines(charge, usage, KIND, spans)
