"""What a venture will earn, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from modelmint.commerce.catalog import plans_from
from modelmint.evaluation.intervals import wilson
from modelmint.kit.money import BadMoney
from modelmint.market.earnings import Scenario, earnings, grid, machine_steps, value_at
from modelmint.market.errors import MixOfCurrencies, NothingInTheMix
from modelmint.market.types import Measured
from modelmint.venture.sections.money import CostsSection, MachineSection
from modelmint.venture.sections.plans import PlanSection

PLANS = tuple(
    plans_from(
        {
            name: PlanSection.model_validate(terms)
            for name, terms in {
                "trial": {"free_calls": 200, "days": 14},
                "payg": {"per_call": "0.002 USD"},
                "studio": {"monthly": "29 USD", "included_calls": 20_000, "overage": "0.001 USD"},
                "euro": {"per_call": "0.003 EUR"},
            }.items()
        }
    )
)
MEASURED = Measured(Decimal("632.82"), wilson(1, 269), Decimal(0))
#: The digits venture: its own statement says 290.52 USD.
DIGITS = Scenario(
    plans=PLANS,
    weights={"payg": Decimal(70), "studio": Decimal(30)},
    unsold=Decimal(0),
    calls=200_000,
    peak_to_mean=4.0,
    calls_per_customer=None,
    costs=CostsSection.model_validate({"wrong_answer": "0.01 USD", "payment_fee": "2.9 %"}),
    machine=MachineSection.model_validate({"price_per_hour": "0.08 USD"}),
    currency="USD",
)
#: One price a call, nothing goes wrong, no fee: 2 USD a thousand calls against 58.40 USD a machine.
PLAIN = replace(DIGITS, weights={"payg": Decimal(1)}, costs=CostsSection())


def test_the_venture_as_stated_has_the_value_of_its_statement() -> None:
    found = earnings(DIGITS, MEASURED).statement
    assert found.monthly_value is not None
    assert (found.monthly_value.value, found.monthly_value.low, found.monthly_value.high) == (
        "290.52", "256.45", "296.64",
    )  # fmt: skip


def test_revenue_is_told_plan_by_plan_with_the_customers_where_they_matter() -> None:
    found = earnings(DIGITS, MEASURED).revenue
    assert found is not None
    assert [(one.plan, one.calls, one.customers, one.amount) for one in found.plans] == [
        ("payg", 140_000, None, Decimal("280.00")),
        ("studio", 60_000, 3, Decimal("87.00")),
    ]


def test_it_breaks_even_where_the_price_of_the_calls_is_the_price_of_the_machine() -> None:
    found = earnings(PLAIN, MEASURED)
    assert found.break_even is not None
    # 58.40 / 0.002 = 29,200 calls; an invoice rounds to the cent, half up, so 29,198 calls already bill 58.40
    assert (found.break_even.calls, found.break_even.until) == (29_198, None)
    assert value_at(PLAIN, MEASURED, 29_197) == Decimal("-0.01")
    assert value_at(PLAIN, MEASURED, 29_198) == Decimal("0.00")


def test_errors_that_cost_more_than_a_call_brings_never_break_even() -> None:
    dear = replace(PLAIN, costs=CostsSection.model_validate({"wrong_answer": "1 USD"}))
    assert earnings(dear, MEASURED).break_even is None


def test_the_price_at_which_the_value_is_zero_covers_costs_and_its_own_fee() -> None:
    found = earnings(DIGITS, MEASURED)
    assert found.price == Decimal("367") / 200_000
    assert found.price_needed is not None
    point, low, high = found.price_needed
    # (58.40 machine + 7.43 errors) / 0.971 / 200,000
    assert abs(point - Decimal("65.83") / Decimal("0.971") / 200_000) < Decimal("1e-7")
    assert low < point < high


def test_one_machine_more_is_needed_from_the_call_that_the_first_cannot_carry() -> None:
    found = earnings(PLAIN, MEASURED)
    # 632.82 calls/s x 730 h x 3600 s / 4
    assert found.next_machine_from == 415_762_740 + 1
    assert found.next_machine_cost == Decimal("58.40")
    assert machine_steps(PLAIN, MEASURED, 1, 10**9, 12) == [415_762_741, 831_525_481]
    assert machine_steps(PLAIN, MEASURED, 500_000_000, 10**10, 2) == [831_525_481, 1_247_288_221]
    at = replace(PLAIN, calls=415_762_740), replace(PLAIN, calls=415_762_741)
    assert [earnings(one, MEASURED).statement.machines for one in at] == [1, 2]


def test_a_model_that_answers_half_the_calls_needs_its_next_machine_at_twice_as_many() -> None:
    half = replace(PLAIN, share=Decimal("0.5"))
    assert earnings(half, MEASURED).next_machine_from == 2 * 415_762_740 + 1


def test_without_a_demand_nothing_is_assumed() -> None:
    found = earnings(replace(DIGITS, calls=None), MEASURED)
    assert found.statement.monthly_value is None and found.revenue is None and found.price is None
    assert "[demand] is not stated" in found.statement.missing
    assert found.break_even is not None, "which depends on no demand"


def test_a_month_without_calls_costs_its_machine() -> None:
    found = earnings(replace(DIGITS, calls=0), MEASURED)
    assert found.statement.monthly_value is not None
    assert found.statement.monthly_value.value == "-58.40"
    assert found.statement.gross_margin is None and found.price is None and found.price_needed is None


def test_weights_are_scaled_and_calls_in_no_plan_bring_nothing() -> None:
    third = replace(PLAIN, weights={"payg": Decimal(1)}, unsold=Decimal(3), calls=1000)
    found = earnings(third, MEASURED).revenue
    assert found is not None and found.amount == Decimal("0.50")
    assert any("0.75 of all calls are in no plan" in text for text in found.assumptions)
    equal = replace(PLAIN, weights={"payg": Decimal("33.3"), "studio": Decimal("33.3"), "trial": Decimal("33.3")})
    told = earnings(equal, MEASURED).revenue
    assert told is not None and not any("in no plan" in text for text in told.assumptions)


def test_a_trial_in_the_mix_brings_nothing() -> None:
    found = earnings(replace(PLAIN, weights={"payg": Decimal(1), "trial": Decimal(1)}), MEASURED).revenue
    assert found is not None and found.amount == Decimal("200.00")


def test_two_currencies_are_never_added_up() -> None:
    mixed = replace(DIGITS, weights={"payg": Decimal(1), "euro": Decimal(1)})
    with pytest.raises(MixOfCurrencies, match=r"expected plans in USD, found a share for euro \(EUR\)"):
        earnings(mixed, MEASURED)
    assert earnings(replace(mixed, weights={"payg": Decimal(1)}), MEASURED).revenue is not None


def test_a_mix_of_nothing_is_refused() -> None:
    with pytest.raises(NothingInTheMix):
        earnings(replace(DIGITS, weights={}), MEASURED)


def test_amounts_beyond_the_books_are_refused() -> None:
    with pytest.raises(BadMoney):
        earnings(replace(PLAIN, calls=10**17), MEASURED)


def test_what_lies_beyond_the_books_elsewhere_on_the_scale_stops_no_figure() -> None:
    rich = plans_from({"rich": PlanSection.model_validate({"per_call": "1000000 USD"})})
    found = earnings(replace(PLAIN, plans=tuple(rich), weights={"rich": Decimal(1)}, calls=10), MEASURED)
    assert found.break_even is not None and found.break_even.calls == 1
    assert value_at(replace(PLAIN, plans=tuple(rich), weights={"rich": Decimal(1)}), MEASURED, 10**9) is None


def test_errors_that_nobody_measured_make_a_price_of_errors_not_computable() -> None:
    unknown = replace(MEASURED, wrong=None, left_open=None)
    found = earnings(DIGITS, unknown).statement
    assert found.monthly_value is None and found.missing == ("the share of wrong answers was not measured",)
    assert earnings(PLAIN, unknown).statement.monthly_value is not None, "where errors cost nothing"
    review = replace(PLAIN, costs=CostsSection.model_validate({"review_per_abstention": "1 USD"}))
    assert earnings(review, unknown).statement.missing == ("the share of answers left open was not measured",)


def test_without_a_rate_no_machine_is_counted() -> None:
    found = earnings(DIGITS, replace(MEASURED, calls_per_second=None))
    assert found.statement.machines is None and found.break_even is None and found.next_machine_from is None
    assert machine_steps(DIGITS, replace(MEASURED, calls_per_second=None), 1, 10**9, 12) == ()


def test_a_grid_is_even_on_a_log_scale_and_names_each_number_once() -> None:
    assert grid(1, 1000, 4) == [1, 10, 100, 1000]
    assert len(grid(1, 5, 100)) == 5
