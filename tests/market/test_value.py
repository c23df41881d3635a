from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest

from modelmint.evaluation.intervals import wilson
from modelmint.kit.canonical import canonical_json
from modelmint.kit.estimate import Estimate
from modelmint.kit.money import parse_price
from modelmint.market.revenue import monthly_revenue
from modelmint.market.types import Revenue
from modelmint.market.value import Market, best_level, cost_statement, nearest_level, peak_rate
from modelmint.serving.types import LoadPoint, LoadResult
from modelmint.venture.sections.money import CostsSection, DemandSection, MachineSection
from modelmint.venture.sections.plans import PlanSection


def load(rate: float | None) -> LoadResult:
    best = None if rate is None else LoadPoint(8, 1000, rate, 4.0, 9.0, 1.5, 0)
    return LoadResult(() if best is None else (best,), best, 50.0, 1, "onnxruntime", 1, 0.2, 0.0, 5.0)


def plan(**terms: object) -> PlanSection:
    return PlanSection.model_validate(terms)


DEMAND = DemandSection(calls_per_month=2_628_000, peak_to_mean=4.0)  # 1 call a second on average
COSTS = CostsSection.model_validate(
    {
        "wrong_answer": "0.50 USD",
        "payment_fee": "2.9 %",
        "storage_per_call": "0.0001 USD",
        "review_per_abstention": "1 USD",
    }
)
MACHINE = MachineSection.model_validate({"price_per_hour": "0.08 USD"})
REVENUE = Revenue(Decimal("52560.00"), (), ())
WRONG = Estimate(0.02, 0.01, 0.04, 500)


def market(**changed: object) -> Market:
    parts: dict[str, object] = {
        "demand": DEMAND, "costs": COSTS, "machine": MACHINE, "revenue": REVENUE, "currency": "USD",
    }  # fmt: skip
    return Market(**{**parts, **changed})  # type: ignore[arg-type] # parts of mixed types by name


def test_the_peak_rate_is_the_mean_rate_of_a_730_hour_month_times_the_peak() -> None:
    assert peak_rate(market()) == Decimal(4)


@pytest.mark.parametrize(("rate", "machines"), [(4.0, 1), (3.999, 2), (400.0, 1), (1.0, 4)])
def test_machines_are_the_peak_over_the_measured_rate_rounded_up_and_at_least_one(rate: float, machines: int) -> None:
    assert cost_statement(market(), load(rate), WRONG, 0.0).machines == machines


def test_the_monthly_value_is_worked_by_hand() -> None:
    found = cost_statement(market(), load(3.0), WRONG, 0.01)
    # 2 machines x 730 h x 0.08 = 116.80; fees 2.9 % of 52560 = 1524.24; storage 2628000 x 0.0001 = 262.80;
    # review 2628000 x 0.01 x 1 = 26280; errors 2628000 x 0.02 x 0.50 = 26280
    assert (found.machine_cost, found.payment_fees, found.storage_cost) == ("116.80", "1524.24", "262.80")
    assert (found.review_cost, found.error_cost) == ("26280.00", "26280.00")
    assert found.monthly_value is not None
    assert found.monthly_value.value == "-1903.84"  # 52560 - 116.80 - 1524.24 - 262.80 - 26280 - 26280


def test_the_value_has_the_interval_of_the_error_share() -> None:
    found = cost_statement(market(), load(3.0), WRONG, 0.0).monthly_value
    assert found is not None
    low, high = Decimal(found.low), Decimal(found.high)
    assert Decimal(found.value) - low == Decimal("26280.00")  # 0.02 more errors
    assert high - Decimal(found.value) == Decimal("13140.00")  # 0.01 fewer


def test_gross_margin_leaves_errors_out_and_counts_every_other_cost() -> None:
    found = cost_statement(market(), load(3.0), WRONG, 0.0)
    expected = (Decimal("52560") - Decimal("116.80") - Decimal("1524.24") - Decimal("262.80")) / Decimal("52560")
    assert Decimal(found.gross_margin or 0) == expected.quantize(Decimal("0.000000001"))


def test_cost_per_thousand_is_the_price_of_the_seconds_they_take() -> None:
    assert cost_statement(market(), load(100.0), WRONG, 0.0).cost_per_1k == "0.000222222"  # 0.08 / 3600 x 10 s


@pytest.mark.parametrize(
    ("changed", "rate", "missing"),
    [
        ({"demand": None, "revenue": None}, 10.0, "[demand]"),
        ({"revenue": None}, 10.0, "[plans]"),
        ({"machine": MachineSection()}, 10.0, "price_per_hour"),
        ({}, None, "p99"),
    ],
)
def test_without_one_of_its_parts_the_value_is_not_computable_and_says_why(
    changed: dict[str, object], rate: float | None, missing: str
) -> None:
    found = cost_statement(market(**changed), load(rate), WRONG, 0.0)
    assert found.monthly_value is None
    assert any(missing in text for text in found.missing)


def test_what_was_assumed_is_said() -> None:
    told = " ".join(cost_statement(market(costs=CostsSection()), load(3.0), WRONG, 0.0).assumptions)
    for part in ("wrong_answer", "payment_fee", "storage_per_call", "review_per_abstention"):
        assert part in told
    told = " ".join(cost_statement(market(share=Decimal(1) / 2), load(3.0), WRONG, 0.0).assumptions)
    assert "this model answers 0.5 of all calls" in told


def test_a_perfect_validation_still_has_an_interval() -> None:
    found = cost_statement(market(), load(3.0), wilson(0, 100), 0.0).monthly_value
    assert found is not None
    assert Decimal(found.low) < Decimal(found.value) == Decimal(found.high)


def test_pay_per_use_brings_price_times_calls() -> None:
    found = monthly_revenue({"payg": plan(per_call="0.02 USD")}, DemandSection(calls_per_month=200_000))
    assert found is not None
    assert found.amount == Decimal("4000.00")
    assert found.assumptions == ("all calls come through the plan payg",)


def test_a_monthly_plan_is_billed_per_customer_with_its_included_calls() -> None:
    plans = {"clinic": plan(monthly="49 USD", included_calls=5000, overage="0.01 USD")}
    found = monthly_revenue(plans, DemandSection(calls_per_month=12_000))
    assert found is not None
    assert found.amount == Decimal("147.00")  # 3 customers: 5000 + 5000 + 2000
    assert any("exactly the 5000 calls" in text for text in found.assumptions)
    heavy = monthly_revenue(plans, DemandSection(calls_per_month=12_000, calls_per_customer=6000))
    assert heavy is not None
    assert heavy.amount == Decimal("118.00")  # 2 x (49 + 1000 x 0.01)


def test_shares_that_are_not_given_are_equal_over_paid_plans_and_said_so() -> None:
    plans = {"trial": plan(free_calls=100), "a": plan(per_call="0.02 USD"), "b": plan(per_call="0.04 USD")}
    found = monthly_revenue(plans, DemandSection(calls_per_month=1000))
    assert found is not None
    assert found.amount == Decimal("30.00")
    assert "equal shares" in found.assumptions[0]


def test_calls_in_no_plan_bring_nothing_and_are_said() -> None:
    demand = DemandSection(calls_per_month=1000, plan_mix={"a": 0.5})
    found = monthly_revenue({"a": plan(per_call="0.02 USD")}, demand)
    assert found is not None
    assert found.amount == Decimal("10.00")
    assert "0.5 of all calls are in no plan" in found.assumptions[0]


def test_a_trial_in_the_mix_brings_nothing_and_no_paid_plan_means_no_revenue() -> None:
    plans = {"trial": plan(free_calls=100), "a": plan(per_call="0.02 USD")}
    mixed = monthly_revenue(plans, DemandSection(calls_per_month=1000, plan_mix={"trial": 0.25, "a": 0.75}))
    assert mixed is not None
    assert mixed.amount == Decimal("15.00")
    assert monthly_revenue({"trial": plan(free_calls=100)}, DemandSection(calls_per_month=1000)) is None


def test_revenue_is_rated_by_tiers() -> None:
    charges = [{"meter": "calls", "tiers": [{"up_to": 100, "price": "0.10 USD"}, {"price": "0.01 USD"}]}]
    found = monthly_revenue({"a": plan(charges=charges)}, DemandSection(calls_per_month=300))
    assert found is not None
    assert found.amount == Decimal("12.00")
    assert any("one customer makes all calls" in text for text in found.assumptions)


def test_included_explanations_are_no_included_calls() -> None:
    maps = {"meter": "explanations", "price": "0.30 USD", "included": 7}
    found = monthly_revenue({"a": plan(monthly="9 USD", charges=[maps])}, DemandSection(calls_per_month=300))
    assert found is not None
    assert [(one.customers, one.amount) for one in found.plans] == [(None, Decimal(9))]
    assert found.assumptions[1:] == (
        "explanations of a bring nothing: how much is used is not expected anywhere",
        "one customer makes all calls of a, which includes no number of calls",
    )


def test_prices_stay_exact() -> None:
    assert parse_price("0.0001 USD").amount * 3 == Decimal("0.0003")


def test_a_rate_that_no_limit_was_held_against_is_said_to_be_assumed() -> None:
    unlimited = dataclasses.replace(load(4.0), p99_limit_ms=None)
    told = "callers wait as long as it takes at the highest rate, as [gates] p99_ms sets no limit"
    assert told in cost_statement(market(), unlimited, WRONG, 0.0).assumptions
    assert told not in cost_statement(market(), load(4.0), WRONG, 0.0).assumptions


def test_the_statement_names_the_machine_of_the_venture() -> None:
    machine = MachineSection.model_validate({"name": "2 vCPU cloud", "price_per_hour": "0.08 USD"})
    assert cost_statement(market(machine=machine), load(4.0), WRONG, 0.0).machine == "2 vCPU cloud"


SLOW, FAST = LoadPoint(4, 900, 300.0, 20.0, 80.0, 1.5, 0), LoadPoint(1, 400, 150.0, 15.0, 60.0, 1.5, 0)
FAILING, EMPTY = LoadPoint(8, 50, 20.0, 1.0, 2.0, 1.5, 7), LoadPoint(16, 0, 0.0, 0.0, 0.0, 0.0, 0)


def levels(*points: LoadPoint, best: LoadPoint | None = None) -> LoadResult:
    return LoadResult(points, best, 50.0, 1, "onnxruntime", 1, 0.2, 0.0, 5.0)


def test_levels_with_errors_or_without_calls_measure_nothing() -> None:
    assert nearest_level(levels(SLOW, FAST, FAILING, EMPTY)) is FAST
    assert nearest_level(levels(FAILING, EMPTY)) is None
    assert best_level(levels(FAILING, best=FAILING)) is None
    assert cost_statement(market(), levels(FAILING, best=FAILING), WRONG, 0.0).calls_per_second is None
    assert nearest_level(levels(SLOW, FAST, best=SLOW)) is SLOW


#: Written by ``workshop/value.py`` before the arithmetic moved here, for the digits venture as it was measured.
BEFORE_THE_MOVE = (
    b'{"abstained_share":0.0,"assumptions":["storage costs nothing, as [costs] storage_per_call is not sta'
    b'ted","an answer left open costs nothing, as [costs] review_per_abstention is not stated","a customer'
    b' of studio makes exactly the 20000 calls that are included"],"calls_per_second":"632.82","cost_per_1'
    b'k":"0.000035116","cost_per_1k_at_demand":"0.345215","currency":"USD","error_cost":"7.43","gross_marg'
    b'in":"0.811871935","machine":"2 vCPU cloud instance","machine_cost":"58.40","machines":1,"missing":[]'
    b',"monthly_value":{"high":"296.64","low":"256.45","value":"290.52"},"payment_fees":"10.64","peak_call'
    b's_per_second":"0.304414003","revenue":"367.00","review_cost":"0.00","storage_cost":"0.00","wrong_sha'
    b're":{"high":0.020753,"level":0.95,"low":0.000657,"n":269,"value":0.0037174721189591076}}'
)


def test_a_statement_is_to_the_byte_what_it_was_before_the_arithmetic_moved() -> None:
    best = LoadPoint(8, 637, 632.82, 11.254, 32.947, 2.1664, 0)
    measured = LoadResult((best,), best, 100.0, 2, "onnxruntime", 1, 0.1349, 0.261, 5.551)
    plans = {
        "trial": plan(free_calls=200, days=14),
        "payg": plan(per_call="0.002 USD"),
        "studio": plan(monthly="29 USD", included_calls=20_000, overage="0.001 USD"),
    }
    demand = DemandSection(calls_per_month=200_000, peak_to_mean=4.0, plan_mix={"payg": 0.7, "studio": 0.3})
    costs = CostsSection.model_validate({"wrong_answer": "0.01 USD", "payment_fee": "2.9 %"})
    machine = MachineSection.model_validate({"name": "2 vCPU cloud instance", "price_per_hour": "0.08 USD"})
    digits = Market(demand, costs, machine, monthly_revenue(plans, demand), "USD")
    assert canonical_json(cost_statement(digits, measured, wilson(1, 269), 0.0)) == BEFORE_THE_MOVE
