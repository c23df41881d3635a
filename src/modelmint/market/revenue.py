"""Revenue of a month: the expected calls spread over the plans, rated by commerce's own rating."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from modelmint.commerce.billing.draft import build
from modelmint.commerce.billing.types import BillingInputs, Held
from modelmint.commerce.catalog import for_sale, plans_from
from modelmint.commerce.metering.types import Cell, Quantities
from modelmint.commerce.types import Fits, Plan
from modelmint.kit.money import Money
from modelmint.kit.period import billing_period
from modelmint.market.types import PlanRevenue, Revenue
from modelmint.venture.sections.money import DemandSection
from modelmint.venture.sections.plans import PlanSection

#: Any full month: prices do not depend on which.
_MONTH = billing_period(datetime(2026, 1, 1, tzinfo=UTC))
#: Shares are floats; what is missing to one by less is nobody's calls.
_ROUNDING = Decimal("1e-9")
#: What the expected calls tell; each is of one item.
_EXPECTED = ("calls", "items")


def monthly_revenue(sections: Mapping[str, PlanSection], demand: DemandSection) -> Revenue | None:
    """What ``demand`` brings with the plans of a venture file; see ``revenue_of``."""
    return revenue_of(plans_from(sections), demand)


def revenue_of(plans: Sequence[Plan], demand: DemandSection) -> Revenue | None:
    """What ``demand`` brings under its plan mix; None where no plan costs anything.

    Calls of a plan are spread over as many customers as its calls per customer make, the last one taking the
    rest, and each is billed a month by the plan's own terms.
    """
    by_name = {plan.name: plan for plan in plans}
    paid = [plan.name for plan in for_sale(plans)]
    if not paid:
        return None
    assumptions: list[str] = []
    shares = {name: Decimal(repr(share)) for name, share in demand.plan_mix.items()}
    if not shares:
        shares = {name: Decimal(1) / len(paid) for name in paid}
        if len(paid) > 1:
            assumptions.append(f"all calls come in equal shares through the paid plans ({', '.join(paid)})")
        else:
            assumptions.append(f"all calls come through the plan {paid[0]}")
    elif (rest := 1 - sum(shares.values())) > _ROUNDING:
        assumptions.append(f"{rest:.3g} of all calls are in no plan and bring nothing")
    found = [
        _plan_revenue(by_name[name], round(demand.calls_per_month * share), demand, assumptions)
        for name, share in shares.items()
    ]
    return Revenue(sum((one.amount for one in found), Decimal(0)), tuple(found), tuple(assumptions))


def _plan_revenue(plan: Plan, calls: int, demand: DemandSection, assumptions: list[str]) -> PlanRevenue:
    if plan.currency is None or calls == 0:
        return PlanRevenue(plan.name, calls, None if calls else 0, Decimal(0))
    _note_unknown(plan, assumptions)
    stated = _per_customer(plan, calls, demand, assumptions)
    each = min(stated or calls, plan.max_calls or calls)
    full, rest = divmod(calls, each)
    amount = full * _bill(plan, each) + (_bill(plan, rest) if rest else Decimal(0))
    known = stated is not None or each < calls
    return PlanRevenue(plan.name, calls, full + bool(rest) if known else None, amount)


def _per_customer(plan: Plan, calls: int, demand: DemandSection, assumptions: list[str]) -> int | None:
    """Calls a month of one customer of this plan, at least 1; None where nothing says."""
    if demand.calls_per_customer is not None:
        return min(demand.calls_per_customer, calls)
    charges = [charge for charge in plan.charges if charge.meter in _EXPECTED]
    free = (c.included or t.up_to for c in charges for t in c.tiers[:1] if c.included or t.price.amount == 0)
    included = next((units for units in free if units), None)
    if plan.monthly is not None and included:
        assumptions.append(f"a customer of {plan.name} makes exactly the {included} calls that are included")
        return min(included, calls)
    if plan.monthly is not None:
        assumptions.append(f"one customer makes all calls of {plan.name}, which includes no number of calls")
    elif any(len(charge.tiers) > 1 for charge in charges):
        assumptions.append(f"one customer makes all calls of {plan.name}, so its tiers are counted once")
    return None


def _note_unknown(plan: Plan, assumptions: list[str]) -> None:
    """What the expected calls do not say of a plan's charges."""
    unknown = sorted({charge.meter for charge in plan.charges} - set(_EXPECTED))
    if unknown:
        assumptions.append(
            f"{', '.join(unknown)} of {plan.name} bring nothing: how much is used is not expected anywhere"
        )
    if any(charge.fits != Fits() for charge in plan.charges):
        assumptions.append(f"calls of {plan.name} are answered, by a model and a variant that no charge names")


@lru_cache(4096)
def _bill(plan: Plan, calls: int) -> Decimal:
    """What one customer pays for a month with so many calls of one item each, a twelfth of a yearly fee in it."""
    used = Quantities(calls, Decimal(calls), Decimal(1))
    inputs = BillingInputs(
        id="",
        number=0,
        finalised_at=_MONTH.end,
        customer="expected",
        subscription="expected",
        plan=plan.name,
        plan_version=plan.version,
        anchor=1,
        part=_MONTH,
        period=_MONTH,
        since=_MONTH.start,
        held=(Held(_MONTH.start, None),),
        last=True,
        cells=tuple(Cell(_MONTH.start, meter, "", "", "ok", Quantities(), used) for meter in _EXPECTED),
        distinct=(),
        grants=(),
        tax_rate=Decimal(0),
        tax_name="",
        notice="",
        kept=None,
        releases=(),
    )
    invoice = build(inputs, _by_month(plan))
    return Decimal(0) if invoice is None else invoice.total.amount


def _by_month(plan: Plan) -> Plan:
    """A yearly fee as the share of it that a month brings."""
    if plan.yearly is None:
        return plan
    monthly = 0 if plan.monthly is None else plan.monthly.minor
    return replace(plan, yearly=None, monthly=Money(monthly + plan.yearly.minor // 12, plan.yearly.currency))
