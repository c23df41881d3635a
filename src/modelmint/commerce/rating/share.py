"""What a billing period includes, for a share of it: included units and the ends of tiers.

A plan whose fee is shared by the time held includes its units for that time, too: else whoever takes it on the last
day would have a whole period's units for a day's fee. Each end is rounded up to a whole unit, so that a gap of a
moment takes nothing away and no share is less than the time held. What has no fee to be shared with it (packages'
sizes, prices, what a ``max`` charge looks at) stays as it is: the largest value is no sum that grows with time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from modelmint.commerce.types import Charge, Tier


@dataclass(frozen=True, slots=True)
class Share:
    """``held`` of ``whole`` microseconds of a billing period."""

    held: int
    whole: int

    @property
    def is_partial(self) -> bool:
        """Whether it is not the whole period."""
        return self.held != self.whole

    def of(self, units: int) -> int:
        """The share of ``units``, rounded up to a whole one."""
        return -(-units * self.held // self.whole)


WHOLE = Share(1, 1)


def has_bounds(charge: Charge) -> bool:
    """Whether anything of the charge is for a whole billing period, so that a share of it is less."""
    bounded = charge.included > 0 or any(tier.up_to is not None for tier in charge.tiers)
    return bounded and charge.aggregate != "max"


def shared(charge: Charge, share: Share) -> Charge:
    """The charge as it counts where the plan is held for ``share`` of the billing period."""
    if not share.is_partial or not has_bounds(charge):
        return charge
    included = share.of(charge.included)
    tiers = (
        Tier(None if tier.up_to is None else share.of(charge.included + tier.up_to) - included, tier.price)
        for tier in charge.tiers
    )
    return replace(charge, included=included, tiers=tuple(tiers))
