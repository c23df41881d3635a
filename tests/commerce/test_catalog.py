"""Plans as the venture file states them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from modelmint.commerce.catalog import for_sale, plans_from, terms_of
from modelmint.commerce.types import Charge, Plan, Tier
from modelmint.kit.money import Money, UnitPrice
from modelmint.venture.sections.plans import PlanSection


def plan(**table: Any) -> Plan:
    return plans_from({"my_plan": PlanSection.model_validate(table)})[0]


def usd(amount: str) -> UnitPrice:
    return UnitPrice(Decimal(amount), "USD")


def test_pay_per_use_is_one_charge_of_one_tier() -> None:
    assert plan(per_call="0.02 USD").charges == (Charge("calls", (Tier(None, usd("0.02")),)),)


def test_included_calls_and_overage_are_two_tiers() -> None:
    found = plan(monthly="49 USD", included_calls=5000, overage="0.01 USD")
    assert found.monthly == Money(4900, "USD")
    assert found.charges == (Charge("calls", (Tier(5000, usd("0")), Tier(None, usd("0.01")))),)
    assert terms_of(found) == "49.00 USD a month, 5000 calls included, then 0.01 USD per call"


def test_included_calls_without_overage_end_with_themselves() -> None:
    found = plan(monthly="49 USD", included_calls=5000)
    assert found.max_calls == 5000
    assert plan(monthly="49 USD", included_calls=5000, max_calls=10).max_calls == 10


def test_a_title_is_made_from_the_name_where_none_is_given() -> None:
    assert plan(per_call="1 USD").title == "My plan"
    assert plan(per_call="1 USD", title="诊所").title == "诊所"


def test_a_version_is_the_digest_of_the_terms() -> None:
    assert plan(per_call="0.02 USD").version == plan(per_call="0.02 USD").version
    assert len(plan(per_call="0.02 USD").version) == 12
    versions = {
        plan(per_call="0.02 USD").version,
        plan(per_call="0.03 USD").version,
        plan(per_call="0.02 USD", max_calls=5).version,
    }
    assert len(versions) == 3


def test_a_trial_is_not_for_sale() -> None:
    trial, paid = plan(free_calls=200, days=14), plan(per_call="0.02 USD")
    assert for_sale([trial, paid]) == [paid]
    assert terms_of(trial) == "200 free calls, for 14 days"
