"""How roll-ups hold quantities: whole numbers, and what they are in the unit of their meter."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

#: Meters that every call feeds: column of ``call_rollups`` and the power of ten that makes it the meter's unit.
CALL_COLUMNS = {
    "calls": ("calls", 0),
    "items": ("items", 0),
    "megapixels": ("pixels", -6),
    "characters": ("characters", 0),
    "tokens": ("tokens", 0),
    "compute_ms": ("compute_us", -3),
    "explanations": ("explanations", 0),
}
#: Quantities of events are whole millionths.
MILLIONTHS = -6


def exact(value: Any, power: int) -> Decimal:
    """``value`` x 10^``power`` in its one shortest spelling, so that the same quantity is always the same text."""
    return shortest(Decimal(int(value)).scaleb(power))


def shortest(found: Decimal) -> Decimal:
    """The same number in its one shortest spelling, without an exponent."""
    return Decimal(int(found)) if found == found.to_integral_value() else found.normalize()
