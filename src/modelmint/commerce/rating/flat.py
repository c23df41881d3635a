"""A fixed fee for each calendar month in which the plan was held."""

from __future__ import annotations

from datetime import datetime

from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.types import Plan
from modelmint.kit.money import UnitPrice

KIND = "flat_monthly"


def lines(plan: Plan, month: datetime) -> list[InvoiceLine]:
    """The fee of ``month``; no line for a plan without one."""
    if plan.monthly is None:
        return []
    name = f"{month:%Y-%m}"
    return [
        InvoiceLine(
            description=f"{plan.title}, {name}",
            meter=None,
            quantity=1,
            unit_price=UnitPrice(plan.monthly.amount, plan.monthly.currency),
            amount=plan.monthly,
            explanation=f"the monthly fee for {name}: 1 x {plan.monthly}",
            kind=KIND,
            data={"month": name},
        )
    ]
