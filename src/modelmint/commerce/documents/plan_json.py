"""A plan as JSON: what is stored for ever under (name, version), and what ``/v1/plans`` shows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from modelmint.commerce.catalog import terms_of
from modelmint.commerce.documents.invoice_json import money_json, price_json
from modelmint.commerce.types import Charge, Plan, Tier
from modelmint.kit.money import Money, UnitPrice


def to_json(plan: Plan) -> dict[str, Any]:
    """Plain JSON types; ``terms`` says it in a line. ``from_json`` of it is the plan again."""
    return {
        "name": plan.name,
        "version": plan.version,
        "title": plan.title,
        "currency": plan.currency,
        "monthly": None if plan.monthly is None else money_json(plan.monthly),
        "charges": [
            {
                "meter": charge.meter,
                "tiers": [{"up_to": tier.up_to, "price": price_json(tier.price)} for tier in charge.tiers],
            }
            for charge in plan.charges
        ],
        "free_calls": plan.free_calls,
        "days": plan.days,
        "max_calls": plan.max_calls,
        "calls_per_minute": plan.calls_per_minute,
        "terms": terms_of(plan),
    }


def from_json(found: Mapping[str, Any]) -> Plan:
    """The plan that ``to_json`` wrote."""
    monthly = found["monthly"]
    return Plan(
        name=found["name"],
        version=found["version"],
        title=found["title"],
        currency=found["currency"],
        monthly=None if monthly is None else Money(monthly["minor"], monthly["currency"]),
        charges=tuple(
            Charge(
                charge["meter"],
                tuple(
                    Tier(tier["up_to"], UnitPrice(Decimal(tier["price"]["amount"]), tier["price"]["currency"]))
                    for tier in charge["tiers"]
                ),
            )
            for charge in found["charges"]
        ),
        free_calls=found["free_calls"],
        days=found["days"],
        max_calls=found["max_calls"],
        calls_per_minute=found["calls_per_minute"],
    )
