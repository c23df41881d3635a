from __future__ import annotations

from decimal import Decimal

from modelmint.commerce.catalog import plans_from
from modelmint.kit.money import Money, parse_price
from modelmint.market.pricing import at_prices
from modelmint.venture.sections.plans import PlanSection

TERMS = {"monthly": "29 USD", "included_calls": 100, "overage": "0.003 USD", "cap": "99.99 USD"}
(PLAN,) = plans_from({"studio": PlanSection.model_validate(TERMS)})


def test_fees_are_whole_coins_and_prices_of_a_unit_exact() -> None:
    found = at_prices(PLAN, Decimal("1.015"))
    assert (found.monthly, found.cap) == (Money(2944, "USD"), Money(10149, "USD"))  # 29.435 and 101.48985
    assert [tier.price for tier in found.charges[0].tiers] == [parse_price("0 USD"), parse_price("0.003045 USD")]
    assert found.version != PLAN.version


def test_the_same_prices_are_the_same_plan() -> None:
    assert at_prices(PLAN, Decimal(1)) is PLAN


def test_half_the_price_brings_half() -> None:
    assert at_prices(PLAN, Decimal("0.5")).monthly == Money(1450, "USD")
