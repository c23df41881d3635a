"""Plans as the venture file or the founder states them; their versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from modelmint.commerce.rating.share import has_bounds
from modelmint.commerce.types import Charge, Fits, Plan, Promise, Tier
from modelmint.kit.digest import digest_value
from modelmint.kit.money import UnitPrice
from modelmint.venture.sections.charges import ChargeSection
from modelmint.venture.sections.plans import PlanSection

#: Terms that came later count in a version only where they are used, so that older plans keep their versions.
_LATER: dict[str, Any] = {
    "yearly": None, "minimum": None, "cap": None, "prepaid": False, "promise": None, "prorate_included": False,
}  # fmt: skip
_LATER_IN_CHARGES: dict[str, Any] = {
    "aggregate": "sum", "fits": Fits(), "package": 1, "percent": None, "included": 0,
}  # fmt: skip


def plans_from(file: Mapping[str, PlanSection]) -> list[Plan]:
    """The plans of ``[plans.NAME]``, each with a version that is a digest of its terms.

    What cannot be sold as written never comes here: ``PlanSection`` refuses it, with the line.
    """
    return [_plan(name, section) for name, section in file.items()]


def effective_dates(file: Mapping[str, PlanSection]) -> dict[str, datetime]:
    """Since when each plan is on sale in these terms, for those that say so."""
    return {name: section.effective for name, section in file.items() if section.effective is not None}


def version_of(plan: Plan) -> str:
    """12 hex characters over the terms; the same terms are the same version wherever they are written."""
    terms = {field: getattr(plan, field) for field in Plan.__slots__ if field != "version"}
    terms = {name: value for name, value in terms.items() if name not in _LATER or value != _LATER[name]}
    return digest_value({**terms, "charges": [_charge_terms_of(charge) for charge in plan.charges]})[:12]


def _charge_terms_of(charge: Charge) -> dict[str, Any]:
    terms = {field: getattr(charge, field) for field in Charge.__slots__}
    terms = {name: value for name, value in terms.items() if terms_differ(name, value)}
    if charge.kind == kind_of(charge.tiers):
        del terms["kind"]
    return terms


def terms_differ(name: str, value: object) -> bool:
    """Whether this term of a charge says something: older terms always do."""
    return name not in _LATER_IN_CHARGES or value != _LATER_IN_CHARGES[name]


def kind_of(tiers: Sequence[Tier]) -> str:
    """The price model of a charge that has nothing but tiers."""
    return "per_unit" if len(tiers) == 1 and tiers[0].up_to is None else "graduated"


def _plan(name: str, section: PlanSection) -> Plan:
    charges = _charges(section)
    # A last tier with an end has no price for what comes after: the plan stops there.
    ends = [c.included + c.tiers[-1].up_to for c in charges if c.meter == "calls" and c.tiers and c.tiers[-1].up_to]
    limits = [limit for limit in (section.max_calls, *ends) if limit is not None]
    promised = section.promise
    plan = Plan(
        name=name,
        version="",
        title=section.title or name.replace("_", " ").replace("-", " ").capitalize(),
        currency=section.sold_in,
        monthly=section.monthly,
        charges=charges,
        free_calls=section.free_calls,
        days=section.days,
        max_calls=min(limits, default=None),
        calls_per_minute=section.calls_per_minute,
        yearly=section.yearly,
        minimum=section.minimum,
        cap=section.cap,
        prepaid=section.prepaid,
        promise=None if promised is None else Promise(promised.p99_ms, promised.availability, promised.credit),
        prorate_included=section.shares_included and (section.cap is not None or any(map(has_bounds, charges))),
    )
    return with_version(plan)


def with_version(plan: Plan) -> Plan:
    """``plan`` under the version that its terms have."""
    return replace(plan, version=version_of(plan))


def _charges(section: PlanSection) -> tuple[Charge, ...]:
    """What the short keys say of calls, then the charges as they are written."""
    return (*_over_calls(section), *(_charge(charge) for charge in section.charges))


def _over_calls(section: PlanSection) -> tuple[Charge, ...]:
    if section.per_call is not None:
        return (Charge("calls", (Tier(None, section.per_call),), kind="per_unit"),)
    if section.included_calls is None or section.sold_in is None:
        return ()
    tiers = []
    if section.included_calls > 0:
        tiers.append(Tier(section.included_calls, UnitPrice(Decimal(0), section.sold_in)))
    if section.overage is not None:
        tiers.append(Tier(None, section.overage))
    return (Charge("calls", tuple(tiers), kind=kind_of(tiers)),) if tiers else ()


def _charge(section: ChargeSection) -> Charge:
    tiers = [Tier(tier.up_to, tier.price) for tier in section.tiers]
    if section.price is not None:
        tiers = [Tier(None, section.price)]
    return Charge(
        meter=section.meter,
        tiers=tuple(tiers),
        kind=section.kind or section.priced_as,
        aggregate=section.aggregate,
        fits=Fits(section.model, section.variant, section.state),
        package=section.package or 1,
        percent=section.percent,
        included=section.included,
    )


def is_trial(plan: Plan) -> bool:
    """True for a plan that costs nothing and ends."""
    return plan.currency is None


def for_sale(plans: Sequence[Plan]) -> list[Plan]:
    """The plans that cost something: what a customer whose trial is spent can buy."""
    return [plan for plan in plans if not is_trial(plan)]
