"""What a candidate costs and brings in a month, from its load test. Pure; money is ``Decimal``, never a float.

Monthly value = revenue under the plan mix at the expected demand - machines x 730 h x price - payment fees -
storage - human review - expected errors x cost of an error. Machines = ceil(peak rate / rate measured at the p99
limit), at least one. Peak rate = calls a month / (730 x 3600) x peak to mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from modelmint.kit.estimate import Estimate
from modelmint.kit.money import UnitPrice, exponent
from modelmint.market.types import Amount, CostStatement, Measured, Revenue
from modelmint.serving.types import LoadPoint, LoadResult
from modelmint.venture.sections.money import CostsSection, DemandSection, MachineSection

#: 365 x 24 / 12: hours of a mean month.
HOURS = 730
_FINE = Decimal("0.000000001")


@dataclass(frozen=True, slots=True)
class Market:
    """What the venture says of demand, costs and machine, with the revenue that its plans bring."""

    demand: DemandSection | None
    costs: CostsSection
    machine: MachineSection
    #: None without demand or without a plan that costs something.
    revenue: Revenue | None
    currency: str | None
    #: Share of the venture's calls that this model answers.
    share: Decimal = Decimal(1)

    @property
    def calls(self) -> Decimal | None:
        """Calls a month that this model answers."""
        return None if self.demand is None else self.demand.calls_per_month * self.share


@dataclass(frozen=True, slots=True)
class Outlay:
    """Monthly costs by kind, in major units; None: unknown."""

    machine: Decimal | None
    fees: Decimal | None
    storage: Decimal | None
    review: Decimal | None
    #: Expected wrong answers x their price: point, low, high.
    errors: tuple[Decimal, Decimal, Decimal] | None


def cost_statement(market: Market, load: LoadResult | None, wrong: Estimate, open_share: float) -> CostStatement:
    """Price one candidate: ``wrong`` is the share of calls answered wrongly, ``open_share`` those left open."""
    best = best_level(load) if load else None
    rate = None if best is None else _decimal(best.calls_per_second)
    limited = load is None or load.p99_limit_ms is not None
    return worth(market, Measured(rate, wrong, _decimal(open_share), limited))


def worth(market: Market, measured: Measured) -> CostStatement:
    """What a month costs and brings where calls are served as it was ``measured``."""
    rate = measured.calls_per_second
    peak = peak_rate(market)
    machines = None if rate is None or peak is None else max(1, math.ceil(peak / rate))
    outlay = _outlay(market, machines, measured)
    missing = _missing(market, measured, outlay)
    revenue = None if market.revenue is None else market.revenue.amount * market.share
    goods = _sum(outlay.machine, outlay.fees, outlay.storage, outlay.review)
    margin = None if goods is None or not revenue else (revenue - goods) / revenue
    return CostStatement(
        currency=market.currency,
        calls_per_second=_text(rate),
        peak_calls_per_second=_text(peak),
        machines=machines,
        cost_per_1k=_text(_per_thousand_busy(market, rate)),
        cost_per_1k_at_demand=_text(None if goods is None or not market.calls else goods / market.calls * 1000),
        revenue=_coins(revenue, market.currency),
        machine_cost=_coins(outlay.machine, market.currency),
        payment_fees=_coins(outlay.fees, market.currency),
        storage_cost=_coins(outlay.storage, market.currency),
        review_cost=_coins(outlay.review, market.currency),
        error_cost=_coins(outlay.errors[0] if outlay.errors else None, market.currency),
        gross_margin=_text(margin),
        monthly_value=None if missing else _value(revenue, goods, outlay, market.currency),
        wrong_share=measured.wrong,
        abstained_share=None if measured.left_open is None else float(measured.left_open),
        assumptions=_assumptions(market, measured.limited),
        missing=tuple(missing),
        machine=market.machine.name,
    )


def best_level(load: LoadResult) -> LoadPoint | None:
    """The level whose rate is priced: the fastest within the p99 limit, where it answered every call."""
    return load.best if load.best is not None and _whole(load.best) else None


def nearest_level(load: LoadResult) -> LoadPoint | None:
    """The level that p50 and p99 speak of: the priced one, else the one with the lowest p99.

    A level with errors, or without a call, measured nothing that a limit could be held against.
    """
    whole = [point for point in load.points if _whole(point)]
    return best_level(load) or min(whole, key=lambda point: point.p99_ms, default=None)


def _whole(point: LoadPoint) -> bool:
    return point.calls > 0 and point.errors == 0 and point.calls_per_second > 0


def peak_rate(market: Market) -> Decimal | None:
    """Calls a second in the busiest hour; None without demand."""
    if market.calls is None or market.demand is None:
        return None
    return market.calls / (HOURS * 3600) * _decimal(market.demand.peak_to_mean)


def _outlay(market: Market, machines: int | None, measured: Measured) -> Outlay:
    calls, costs, price = market.calls, market.costs, market.machine.price_per_hour
    if calls is None:
        return Outlay(None, None, None, None, None)
    storage = costs.storage_per_call.amount if costs.storage_per_call else Decimal(0)
    return Outlay(
        machine=None if machines is None or price is None else machines * HOURS * price.amount,
        fees=None if market.revenue is None else market.revenue.amount * market.share * costs.payment_fee,
        storage=calls * storage,
        review=_review(calls, costs.review_per_abstention, measured.left_open),
        errors=_errors(calls, costs.wrong_answer, measured.wrong),
    )


def _review(calls: Decimal, price: UnitPrice | None, left_open: Decimal | None) -> Decimal | None:
    """What costs nothing needs no share."""
    if price is None or not price.amount:
        return Decimal(0)
    return None if left_open is None else calls * left_open * price.amount


def _errors(calls: Decimal, price: UnitPrice | None, wrong: Estimate | None) -> tuple[Decimal, Decimal, Decimal] | None:
    if price is None or not price.amount:
        return Decimal(0), Decimal(0), Decimal(0)
    if wrong is None:
        return None
    low, value, high = (calls * _decimal(share) * price.amount for share in (wrong.low, wrong.value, wrong.high))
    return value, low, high


def _value(revenue: Decimal | None, goods: Decimal | None, outlay: Outlay, currency: str | None) -> Amount | None:
    if revenue is None or goods is None or outlay.errors is None:
        return None
    value, few, many = (revenue - goods - errors for errors in outlay.errors)
    texts = [_coins(amount, currency) or "" for amount in (value, many, few)]
    return Amount(*texts)


def _per_thousand_busy(market: Market, rate: Decimal | None) -> Decimal | None:
    price = market.machine.price_per_hour
    return None if price is None or rate is None else price.amount / (rate * 3600) * 1000


def _missing(market: Market, measured: Measured, outlay: Outlay) -> list[str]:
    found = []
    if market.demand is None:
        found.append("[demand] is not stated")
    elif market.revenue is None:
        found.append("no plan in [plans] has a price")
    if market.machine.price_per_hour is None:
        found.append("[machine] price_per_hour is not stated")
    if measured.calls_per_second is None:
        found.append("no rate was measured within the p99 limit")
    if market.demand is not None and outlay.errors is None:
        found.append("the share of wrong answers was not measured")
    if market.demand is not None and outlay.review is None:
        found.append("the share of answers left open was not measured")
    return found


def _assumptions(market: Market, limited: bool) -> tuple[str, ...]:
    found = []
    if not limited:
        found.append("callers wait as long as it takes at the highest rate, as [gates] p99_ms sets no limit")
    if market.demand is not None:
        if market.share != 1:
            found.append(f"this model answers {float(market.share):.3g} of all calls: the models share them equally")
        if "peak_to_mean" not in market.demand.model_fields_set:
            found.append(f"the busiest hour is {market.demand.peak_to_mean:g} times the mean")
        if market.costs.wrong_answer is None:
            found.append("a wrong answer costs nothing, as [costs] wrong_answer is not stated")
        if "payment_fee" not in market.costs.model_fields_set:
            found.append("payments cost no fee, as [costs] payment_fee is not stated")
        if market.costs.storage_per_call is None:
            found.append("storage costs nothing, as [costs] storage_per_call is not stated")
        if market.costs.review_per_abstention is None:
            found.append("an answer left open costs nothing, as [costs] review_per_abstention is not stated")
        found += market.revenue.assumptions if market.revenue else ()
    return tuple(found)


def _sum(*parts: Decimal | None) -> Decimal | None:
    total = Decimal(0)
    for part in parts:
        if part is None:
            return None
        total += part
    return total


def _decimal(value: float | Decimal) -> Decimal:
    """Measured figures come as floats; their shortest spelling is taken, so nothing is made up beyond it."""
    return value if isinstance(value, Decimal) else Decimal(repr(float(value)))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value.quantize(_FINE, ROUND_HALF_UP).normalize(), "f")


def _coins(value: Decimal | None, currency: str | None) -> str | None:
    if value is None:
        return None
    unit = Decimal(1).scaleb(-exponent(currency)) if currency else _FINE
    return format(value.quantize(unit, ROUND_HALF_UP), "f")
