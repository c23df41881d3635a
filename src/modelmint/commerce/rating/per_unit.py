"""Every unit at one price."""

from __future__ import annotations

from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.rating.usage import Usage, line
from modelmint.commerce.types import Charge

KIND = "per_unit"


def lines(charge: Charge, usage: Usage) -> list[InvoiceLine]:
    """One line; none where nothing was used."""
    if usage.new == 0:
        return []
    return [line(charge, usage, KIND, charge.tiers[0].price, (1, None), (usage.before, usage.new))]
