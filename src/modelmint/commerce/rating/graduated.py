"""Graduated tiers: each unit costs what the tier says in which it falls, counted from the start of the month."""

from __future__ import annotations

from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.rating.usage import Usage, line
from modelmint.commerce.types import Charge

KIND = "graduated"


def lines(charge: Charge, usage: Usage) -> list[InvoiceLine]:
    """One line for each tier that the new units touch.

    Units beyond a last tier that has an end cost what that tier says: admission keeps them from happening, and
    a unit that was served is never free by accident.
    """
    found: list[InvoiceLine] = []
    floor = 0
    for position, tier in enumerate(charge.tiers):
        open_end = position == len(charge.tiers) - 1
        before = _within(usage.before, floor, None if open_end else tier.up_to)
        new = _within(usage.before + usage.new, floor, None if open_end else tier.up_to) - before
        if new:
            found.append(line(charge, usage, KIND, tier.price, (floor + 1, tier.up_to), (before, new)))
        floor = tier.up_to or floor
    return found


def _within(quantity: int, floor: int, end: int | None) -> int:
    """How many of the first ``quantity`` units lie after ``floor`` and up to ``end``."""
    return max(0, (quantity if end is None else min(quantity, end)) - floor)
