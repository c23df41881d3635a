"""Plans at other prices."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from modelmint.commerce.catalog import with_version
from modelmint.commerce.types import Charge, Plan
from modelmint.kit.money import Money, UnitPrice, round_money


def at_prices(plan: Plan, factor: Decimal) -> Plan:
    """``plan`` with every fee, price, minimum and cap times ``factor``; shares of stated amounts stay as they are.

    Fees are whole coins, half up. Raises ``BadMoney`` beyond the books.
    """
    if factor == 1:
        return plan

    def fee(amount: Money | None) -> Money | None:
        return None if amount is None else round_money(amount.amount * factor, amount.currency)

    charges = tuple(_charge(charge, factor) for charge in plan.charges)
    changed = replace(
        plan,
        monthly=fee(plan.monthly),
        yearly=fee(plan.yearly),
        minimum=fee(plan.minimum),
        cap=fee(plan.cap),
        charges=charges,
    )
    return with_version(changed)


def _charge(charge: Charge, factor: Decimal) -> Charge:
    tiers = tuple(
        replace(tier, price=UnitPrice(tier.price.amount * factor, tier.price.currency)) for tier in charge.tiers
    )
    return replace(charge, tiers=tiers)
