"""Plans as the venture file states them, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from modelmint.commerce.types import Charge, Plan, Tier
from modelmint.kit.digest import digest_value
from modelmint.kit.money import UnitPrice
from modelmint.venture.sections.plans import PlanSection


def plans_from(file: Mapping[str, PlanSection]) -> list[Plan]:
    """The plans of ``[plans.NAME]``, each with a version that is a digest of its terms.

    What cannot be sold as written never comes here: ``PlanSection`` refuses it, with the line.
    """
    return [_plan(name, section) for name, section in file.items()]


def version_of(plan: Plan) -> str:
    """12 hex characters over the terms; the same terms are the same version wherever they are written."""
    terms = {field: getattr(plan, field) for field in Plan.__slots__ if field != "version"}
    return digest_value(terms)[:12]


def _plan(name: str, section: PlanSection) -> Plan:
    charges = _charges(section)
    # A last tier with an end has no price for what comes after: the plan stops there.
    ends = [c.tiers[-1].up_to for c in charges if c.meter == "calls" and c.tiers[-1].up_to is not None]
    limits = [limit for limit in (section.max_calls, *ends) if limit is not None]
    plan = Plan(
        name=name,
        version="",
        title=section.title or name.replace("_", " ").replace("-", " ").capitalize(),
        currency=section.currency,
        monthly=section.monthly,
        charges=charges,
        free_calls=section.free_calls,
        days=section.days,
        max_calls=min(limits, default=None),
        calls_per_minute=section.calls_per_minute,
    )
    return with_version(plan)


def with_version(plan: Plan) -> Plan:
    """``plan`` under the version that its terms have."""
    terms = {field: getattr(plan, field) for field in Plan.__slots__}
    return Plan(**{**terms, "version": version_of(plan)})


def _charges(section: PlanSection) -> tuple[Charge, ...]:
    if section.per_call is not None:
        return (Charge("calls", (Tier(None, section.per_call),)),)
    if section.charges:
        return tuple(
            Charge(charge.meter, tuple(Tier(tier.up_to, tier.price) for tier in charge.tiers))
            for charge in section.charges
        )
    if section.included_calls is None or section.currency is None:
        return ()
    tiers = []
    if section.included_calls > 0:
        tiers.append(Tier(section.included_calls, UnitPrice(Decimal(0), section.currency)))
    if section.overage is not None:
        tiers.append(Tier(None, section.overage))
    return (Charge("calls", tuple(tiers)),) if tiers else ()


def is_trial(plan: Plan) -> bool:
    """True for a plan that costs nothing and ends."""
    return plan.currency is None


def for_sale(plans: Sequence[Plan]) -> list[Plan]:
    """The plans that cost something: what a customer whose trial is spent can buy."""
    return [plan for plan in plans if not is_trial(plan)]


def terms_of(plan: Plan) -> str:
    """One line that a customer can read: ``49.00 USD a month, 5000 calls included, then 0.01 USD per call``."""
    parts = []
    if plan.monthly is not None:
        parts.append(f"{plan.monthly} a month")
    for charge in plan.charges:
        parts += _charge_terms(charge)
    if plan.free_calls is not None:
        parts.append(f"{plan.free_calls} free calls")
    if plan.days is not None:
        parts.append(f"for {plan.days} days")
    if plan.max_calls is not None:
        parts.append(f"at most {plan.max_calls} calls a month")
    if plan.calls_per_minute is not None:
        parts.append(f"{plan.calls_per_minute} calls a minute")
    return ", ".join(parts)


def _charge_terms(charge: Charge) -> list[str]:
    unit = charge.meter.removesuffix("s")
    parts = []
    for position, tier in enumerate(charge.tiers):
        if tier.up_to is None:
            parts.append(f"{'then ' if position else ''}{tier.price} per {unit}")
        elif tier.price.amount == 0:
            parts.append(f"{tier.up_to} {charge.meter} included")
        else:
            parts.append(f"{tier.price} per {unit} up to {tier.up_to}")
    return parts
