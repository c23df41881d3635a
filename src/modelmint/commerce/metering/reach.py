"""How much of a meter a billing period may hold, so that it can still be rated, billed and booked. Pure.

What was recorded is billed one day, and a closing that fails because a sum is too large fails for ever. So usage is
refused while it is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from modelmint.commerce.types import Charge, Plan
from modelmint.kit.money import MOST_MINOR, exponent

#: Units of a meter in a billing period: sums of their millionths over several periods fit 63 bits.
MOST_UNITS = 10**12
#: What they may cost, and the amounts that they may state: the rest is left for fees, tax and other meters.
MOST_COST = MOST_MINOR // 10
#: The most that one event counts, and so that a ``max`` charge does.
_LARGEST = 10**9


@dataclass(frozen=True, slots=True)
class Held:
    """Events, whole units (rounded up) and stated minor units."""

    n: int
    units: int
    amount: int

    def times(self, factor: int) -> Held:
        """So many times as much."""
        return Held(self.n * factor, self.units * factor, self.amount * factor)


def out_of_reach(plan: Plan, meter: str, held: Held) -> bool:
    """Whether ``held`` of ``meter`` is more than a billing period under ``plan`` may hold."""
    if held.units >= MOST_UNITS or held.amount >= MOST_COST:
        return True
    return any(_costs_too_much(charge, held) for charge in plan.charges if charge.meter == meter)


def _costs_too_much(charge: Charge, held: Held) -> bool:
    counted = {"sum": held.units, "max": min(held.units, _LARGEST)}.get(charge.aggregate, held.n)
    for tier in charge.tiers:
        minor = tier.price.amount.scaleb(exponent(tier.price.currency))
        if minor * counted > Decimal(MOST_COST) * charge.package:
            return True
    return False
