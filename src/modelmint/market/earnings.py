"""What a venture will earn: one month under stated demand, prices and plans, and where it begins to pay. Pure.

Everything is asked of ``value.worth`` and ``revenue.revenue_of``, the functions that the build chooses by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from modelmint.commerce.types import Plan
from modelmint.kit.money import BadMoney
from modelmint.market.break_even import BreakEven, break_even
from modelmint.market.errors import MixOfCurrencies, NothingInTheMix
from modelmint.market.revenue import revenue_of
from modelmint.market.types import Amount, CostStatement, Measured, Revenue
from modelmint.market.value import HOURS, Market, worth
from modelmint.venture.sections.money import CostsSection, DemandSection, MachineSection

#: Break-even is looked for up to so many calls a month.
MOST_CALLS = 10**9


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is supposed: plans with their weights, demand, costs, machine. Weights are scaled to sum to one."""

    plans: tuple[Plan, ...]
    #: Plan -> weight in the mix; a plan that is not here has none.
    weights: Mapping[str, Decimal]
    #: Weight of the calls that are in no plan and bring nothing.
    unsold: Decimal
    calls: int | None
    peak_to_mean: float
    calls_per_customer: int | None
    costs: CostsSection
    machine: MachineSection
    currency: str | None
    #: Share of the venture's calls that this model answers.
    share: Decimal = Decimal(1)

    def mix(self) -> dict[str, Decimal]:
        """Plan -> share of all calls. Raises ``NothingInTheMix``, ``MixOfCurrencies``."""
        total = sum(self.weights.values(), self.unsold)
        if not total:
            raise NothingInTheMix("expected at least one plan with a share of the calls, found none")
        taken = [plan for plan in self.plans if self.weights.get(plan.name)]
        foreign = [f"{plan.name} ({plan.currency})" for plan in taken if plan.currency not in (None, self.currency)]
        if foreign:
            raise MixOfCurrencies(
                f"expected plans in {self.currency}, found a share for {', '.join(foreign)}; give them no share, or "
                "choose their currency"
            )
        return {plan.name: self.weights[plan.name] / total for plan in taken}

    def market(self, calls: int) -> Market:
        """The scenario with ``calls`` a month. Raises what ``mix`` raises, and ``BadMoney`` beyond the books."""
        mix = {name: float(share) for name, share in self.mix().items()}
        # Nobody calling is a month like any other here; a venture file would not state it.
        demand = DemandSection.model_construct(
            calls_per_month=calls,
            peak_to_mean=self.peak_to_mean,
            plan_mix=mix,
            calls_per_customer=self.calls_per_customer,
        )
        revenue = revenue_of(self.plans, demand) if mix else Revenue(Decimal(0), (), ())
        return Market(demand, self.costs, self.machine, revenue, self.currency, self.share)


@dataclass(frozen=True, slots=True)
class Earnings:
    """One month of a scenario. Prices of a call are in major units; None: not computable."""

    statement: CostStatement
    revenue: Revenue | None
    break_even: BreakEven | None
    #: Who holds what at the break-even.
    at_break_even: Revenue | None
    #: What a call brings on average, and what it must bring for a value of zero, with the interval of the errors.
    price: Decimal | None
    price_needed: tuple[Decimal, Decimal, Decimal] | None
    #: Calls a month from which one machine more is needed, and what it costs a month.
    next_machine_from: int | None
    next_machine_cost: Decimal | None


def earnings(scenario: Scenario, measured: Measured) -> Earnings:
    """All figures of ``scenario`` for calls served as ``measured``. Raises what ``Scenario.market`` raises."""
    if scenario.calls is None:
        unstated = Market(None, scenario.costs, scenario.machine, None, scenario.currency, scenario.share)
        statement, revenue = worth(unstated, measured), None
    else:
        market = scenario.market(scenario.calls)
        statement, revenue = worth(market, measured), market.revenue
    found = break_even(lambda calls: value_at(scenario, measured, calls), MOST_CALLS)
    hourly = scenario.machine.price_per_hour
    return Earnings(
        statement=statement,
        revenue=revenue,
        break_even=found,
        at_break_even=None if found is None else scenario.market(found.calls).revenue,
        price=None if revenue is None or not scenario.calls else revenue.amount / scenario.calls,
        price_needed=_price_needed(scenario, statement),
        next_machine_from=_next_machine(scenario, measured, statement.machines),
        next_machine_cost=None if hourly is None else hourly.amount * HOURS,
    )


def value_at(scenario: Scenario, measured: Measured, calls: int) -> Decimal | None:
    """Monthly value with ``calls`` a month, major units; None where it is not computable, or beyond the books."""
    amount = interval_at(scenario, measured, calls)
    return None if amount is None else Decimal(amount.value)


def interval_at(scenario: Scenario, measured: Measured, calls: int) -> Amount | None:
    """The same with its interval."""
    try:
        return worth(scenario.market(calls), measured).monthly_value
    except BadMoney:
        return None


def machine_steps(scenario: Scenario, measured: Measured, low: int, high: int, most: int) -> Sequence[int]:
    """The first ``most`` demands, calls a month from ``low`` to ``high``, from which one machine more is needed."""
    rate = measured.calls_per_second
    if rate is None:
        return ()
    first = max(1, low // max(1, _calls_of(scenario, rate, 1)))
    steps = (_calls_of(scenario, rate, machines) + 1 for machines in range(first, first + most + 1))
    return [calls for calls in steps if low <= calls <= high][:most]


def _calls_of(scenario: Scenario, rate: Decimal, machines: int) -> int:
    """The most calls a month whose busiest hour so many machines carry."""
    most = machines * rate * HOURS * 3600 / Decimal(repr(scenario.peak_to_mean)) / scenario.share
    return int(most.to_integral_value(ROUND_FLOOR))


def _next_machine(scenario: Scenario, measured: Measured, machines: int | None) -> int | None:
    if machines is None or measured.calls_per_second is None:
        return None
    return _calls_of(scenario, measured.calls_per_second, machines) + 1


def _price_needed(scenario: Scenario, statement: CostStatement) -> tuple[Decimal, Decimal, Decimal] | None:
    """Costs over what is left of a call's price after the payment fee, so that the value is zero: point, low, high."""
    value, calls = statement.monthly_value, scenario.calls
    kept = 1 - scenario.costs.payment_fee
    if value is None or not calls or not kept or statement.revenue is None:
        return None
    revenue, fees = Decimal(statement.revenue), Decimal(statement.payment_fees or 0)
    answered = calls * scenario.share
    point, low, high = (
        (revenue - fees - Decimal(text)) / kept / answered for text in (value.value, value.high, value.low)
    )
    return point, low, high


def grid(low: int, high: int, points: int) -> list[int]:
    """About ``points`` whole numbers from ``low`` to ``high``, evenly spaced on a log scale, each once."""
    span = math.log(high / low)
    return sorted({round(low * math.exp(span * step / (points - 1))) for step in range(points)})
