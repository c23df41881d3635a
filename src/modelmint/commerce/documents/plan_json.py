"""A plan as JSON: what is stored for ever under (name, version), and what ``/v1/plans`` shows.

Bodies written before a term existed are read with that term's default, and keep their version.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from modelmint.commerce.catalog import kind_of
from modelmint.commerce.documents.invoice_json import money_json, price_json
from modelmint.commerce.plan_terms import terms_of
from modelmint.commerce.types import Charge, Fits, Plan, Promise, Tier
from modelmint.kit.money import Money, UnitPrice

_AMOUNTS = ("monthly", "yearly", "minimum", "cap")


def to_json(plan: Plan) -> dict[str, Any]:
    """Plain JSON types; ``terms`` says it in a line. ``from_json`` of it is the plan again."""
    amounts = {name: getattr(plan, name) for name in _AMOUNTS}
    return {
        "name": plan.name,
        "version": plan.version,
        "title": plan.title,
        "currency": plan.currency,
        **{name: None if amount is None else money_json(amount) for name, amount in amounts.items()},
        "charges": [_charge_json(charge) for charge in plan.charges],
        "free_calls": plan.free_calls,
        "days": plan.days,
        "max_calls": plan.max_calls,
        "calls_per_minute": plan.calls_per_minute,
        "prepaid": plan.prepaid,
        "prorate_included": plan.prorate_included,
        "promise": None if plan.promise is None else _promise_json(plan.promise),
        "terms": terms_of(plan),
    }


def _charge_json(charge: Charge) -> dict[str, Any]:
    fits = charge.fits
    return {
        "meter": charge.meter,
        "kind": charge.kind,
        "aggregate": charge.aggregate,
        "fits": {"model": fits.model, "variant": fits.variant, "state": fits.state},
        "tiers": [{"up_to": tier.up_to, "price": price_json(tier.price)} for tier in charge.tiers],
        "package": charge.package,
        "percent": _text(charge.percent),
        "included": charge.included,
    }


def _promise_json(promise: Promise) -> dict[str, Any]:
    return {
        "p99_ms": _text(promise.p99_ms),
        "availability": _text(promise.availability),
        "credit": _text(promise.credit),
    }


def from_json(found: Mapping[str, Any]) -> Plan:
    """The plan that ``to_json`` wrote, now or before some of its terms existed."""
    amounts = {name: found.get(name) for name in _AMOUNTS}
    promise = found.get("promise")
    return Plan(
        name=found["name"],
        version=found["version"],
        title=found["title"],
        currency=found["currency"],
        charges=tuple(_charge(charge) for charge in found["charges"]),
        free_calls=found["free_calls"],
        days=found["days"],
        max_calls=found["max_calls"],
        calls_per_minute=found["calls_per_minute"],
        prepaid=found.get("prepaid", False),
        promise=None if promise is None else _promise(promise),
        prorate_included=found.get("prorate_included", False),
        **{
            name: None if amount is None else Money(amount["minor"], amount["currency"])
            for name, amount in amounts.items()
        },
    )


def _charge(found: Mapping[str, Any]) -> Charge:
    tiers = tuple(
        Tier(tier["up_to"], UnitPrice(Decimal(tier["price"]["amount"]), tier["price"]["currency"]))
        for tier in found["tiers"]
    )
    return Charge(
        meter=found["meter"],
        tiers=tiers,
        kind=found.get("kind") or kind_of(tiers),
        aggregate=found.get("aggregate", "sum"),
        fits=Fits(**found.get("fits", {})),
        package=found.get("package", 1),
        percent=_decimal(found.get("percent")),
        included=found.get("included", 0),
    )


def _promise(found: Mapping[str, Any]) -> Promise:
    return Promise(_decimal(found["p99_ms"]), _decimal(found["availability"]), Decimal(found["credit"]))


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
