"""Plans as the venture file states them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from modelmint.commerce.catalog import effective_dates, for_sale, plans_from
from modelmint.commerce.documents.plan_json import from_json, to_json
from modelmint.commerce.errors import UnknownLanguage
from modelmint.commerce.plan_terms import terms_of
from modelmint.commerce.types import Charge, Fits, Plan, Promise, Tier
from modelmint.kit.money import Money, UnitPrice
from modelmint.venture.sections.plans import PlanSection


def plan(**table: Any) -> Plan:
    return plans_from({"my_plan": PlanSection.model_validate(table)})[0]


def usd(amount: str) -> UnitPrice:
    return UnitPrice(Decimal(amount), "USD")


def test_pay_per_use_is_one_charge_of_one_tier() -> None:
    assert plan(per_call="0.02 USD").charges == (Charge("calls", (Tier(None, usd("0.02")),), kind="per_unit"),)


def test_included_calls_and_overage_are_two_tiers() -> None:
    found = plan(monthly="49 USD", included_calls=5000, overage="0.01 USD")
    assert found.monthly == Money(4900, "USD")
    assert found.charges == (Charge("calls", (Tier(5000, usd("0")), Tier(None, usd("0.01")))),)
    assert terms_of(found) == "49.00 USD a month, 5,000 calls included, then 0.01 USD per call"


def test_included_calls_without_overage_end_with_themselves() -> None:
    found = plan(monthly="49 USD", included_calls=5000)
    assert found.max_calls == 5000
    assert plan(monthly="49 USD", included_calls=5000, max_calls=10).max_calls == 10


def test_charges_over_other_meters_stand_after_what_calls_cost() -> None:
    maps = {"meter": "explanations", "price": "0.30 USD"}
    charge = Charge("explanations", (Tier(None, usd("0.30")),), kind="per_unit")
    assert plan(per_call="0.01 USD", charges=[maps]).charges == (*plan(per_call="0.01 USD").charges, charge)
    found = plan(monthly="49 USD", included_calls=5000, overage="0.01 USD", charges=[maps])
    assert found.charges == (*plan(monthly="49 USD", included_calls=5000, overage="0.01 USD").charges, charge)
    assert terms_of(found).endswith("then 0.01 USD per call, 0.30 USD per explanation")


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


#: A body as it was stored before plans had kinds, filters, commitments and promises.
OLD_BODY: dict[str, Any] = {
    "name": "clinic",
    "version": "b0ecdb93c3df",
    "title": "Clinic",
    "currency": "USD",
    "monthly": {"amount": "49.00", "minor": 4900, "currency": "USD"},
    "charges": [
        {
            "meter": "calls",
            "tiers": [
                {"up_to": 10, "price": {"amount": "0", "currency": "USD"}},
                {"up_to": None, "price": {"amount": "0.015", "currency": "USD"}},
            ],
        }
    ],
    "free_calls": None,
    "days": None,
    "max_calls": None,
    "calls_per_minute": None,
    "terms": "49.00 USD a month, 10 calls included, then 0.015 USD per call",
}


def test_a_plan_stored_before_later_terms_existed_is_read_and_is_the_same_version_today() -> None:
    found = from_json(OLD_BODY)
    terms = {"monthly": "49 USD", "included_calls": 10, "overage": "0.015 USD"}
    (today,) = plans_from({"clinic": PlanSection.model_validate({**terms, "prorate_included": False})})
    assert found == today
    assert today.version == OLD_BODY["version"]


@pytest.mark.parametrize(
    ("table", "shared"),
    [
        ({"monthly": "49 USD", "included_calls": 10, "overage": "0.015 USD"}, True),
        ({"yearly": "490 USD", "included_calls": 10, "overage": "0.015 USD"}, True),
        ({"minimum": "5 USD", "cap": "9 USD", "per_call": "0.02 USD"}, True),
        ({"monthly": "49 USD", "included_calls": 10, "overage": "0.015 USD", "prorate_included": False}, False),
        # no fee that a share of the units could go with, unless the seller says so
        ({"charges": [{"price": "1 USD", "included": 9}]}, False),
        ({"charges": [{"price": "1 USD", "included": 9}], "prorate_included": True}, True),
        # nothing is for a whole period: the version is the one that it always was
        ({"monthly": "49 USD", "charges": [{"price": "1 USD"}]}, False),
        (
            {"monthly": "49 USD", "charges": [{"meter": "seats", "price": "1 USD", "included": 3, "aggregate": "max"}]},
            False,
        ),
    ],
)
def test_what_a_plan_includes_goes_with_its_fee_unless_it_says_otherwise(table: dict[str, Any], shared: bool) -> None:
    found = plan(**table)
    assert found.prorate_included is shared
    assert from_json(to_json(found)) == found


def test_one_price_per_call_is_the_same_version_as_it_always_was() -> None:
    (found,) = plans_from({"payg": PlanSection.model_validate({"per_call": "0.02 USD"})})
    assert found.version == "ecbd01fc18bb"


EVERYTHING: dict[str, Any] = {
    "yearly": "900 USD",
    "monthly": "9 USD",
    "minimum": "20 USD",
    "cap": "500 USD",
    "promise": {"p99_ms": 49.5, "availability": "99.9 %", "credit": "10 %"},
    "charges": [
        {"price": "0.001 USD", "variant": "small"},
        {"price": "0.002 USD", "state": "abstained"},
        {"tiers": [{"up_to": 100, "price": "0.02 USD"}, {"price": "0.01 USD"}], "included": 50},
        {"meter": "pages", "package": 100, "price": "5 USD"},
        {"meter": "sales", "percent": "2.5 %", "included": 100_00},
        {"meter": "patients", "aggregate": "unique", "price": "0.10 USD"},
        {"meter": "disk", "aggregate": "max", "price": "0.50 USD"},
    ],
}


def test_every_term_of_a_plan_comes_from_its_table() -> None:
    found = plan(**EVERYTHING)
    assert found.yearly == Money(90_000, "USD")
    assert (found.minimum, found.cap) == (Money(2000, "USD"), Money(50_000, "USD"))
    assert found.promise == Promise(Decimal("49.5"), Decimal("0.999"), Decimal("0.1"))
    kinds = ["per_unit", "per_unit", "graduated", "package", "percentage", "per_unit", "per_unit"]
    assert [charge.kind for charge in found.charges] == kinds
    assert found.charges[0].fits == Fits(variant="small")
    assert found.charges[1].fits == Fits(state="abstained")
    assert found.charges[3].package == 100
    assert found.charges[4].percent == Decimal("0.025")
    assert [charge.aggregate for charge in found.charges[5:]] == ["unique", "max"]


def test_a_plan_with_every_term_comes_back_from_its_stored_body() -> None:
    found = plan(**EVERYTHING)
    assert from_json(to_json(found)) == found


def test_every_term_makes_another_version() -> None:
    versions = {plan(**EVERYTHING).version}
    for key in ("yearly", "monthly", "minimum", "cap", "promise"):
        versions.add(plan(**{name: value for name, value in EVERYTHING.items() if name != key}).version)
    for place, charge in enumerate(EVERYTHING["charges"]):
        for key in charge.keys() - {"price", "tiers", "percent"}:
            changed = {**charge, key: {"aggregate": "sum", "package": 7, "included": 1}.get(key, "ok")}
            charges = [*EVERYTHING["charges"]]
            charges[place] = changed
            versions.add(plan(**{**EVERYTHING, "charges": charges}).version)
    changes = sum(len(charge.keys() - {"price", "tiers", "percent"}) for charge in EVERYTHING["charges"])
    assert len(versions) == 1 + 5 + changes


def test_the_day_on_which_terms_take_effect_is_no_term() -> None:
    section = PlanSection.model_validate({"per_call": "0.02 USD", "effective": date(2027, 1, 1)})
    assert plans_from({"payg": section})[0].version == "ecbd01fc18bb"
    assert effective_dates({"payg": section}) == {"payg": datetime(2027, 1, 1, tzinfo=UTC)}


def test_all_terms_are_told_in_a_line() -> None:
    assert terms_of(plan(**EVERYTHING)) == (
        "9.00 USD a month, 900.00 USD a year in advance, at least 20.00 USD a period, usage at most 500.00 USD a "
        "period, "
        "0.001 USD per call (small), 0.002 USD per call (abstained), 50 calls included, 0.02 USD per call up to 150, "
        "then 0.01 USD per call, 5 USD per package of 100 pages, the first 100.00 USD of sales free, 2.5 % of sales, "
        "0.10 USD per different patient, 0.50 USD per largest disk, p99 within 49.5 ms, 99.9 % available, or 10 % back"
    )


def test_common_terms_read_as_chinese_and_large_numbers_are_grouped() -> None:
    studio = plan(monthly="29 USD", included_calls=20_000, overage="0.001 USD")
    assert terms_of(studio, "zh") == "每月 29.00 USD，含 20,000 次调用，超出后每次调用 0.001 USD"
    assert terms_of(plan(per_call="0.002 USD"), "zh") == "每次调用 0.002 USD"
    pages = plan(charges=[{"meter": "pages", "price": "0.10 USD"}])
    assert terms_of(pages, "zh") == "每 page 0.10 USD", "a founder's own meter keeps its name"


def test_all_terms_are_told_in_chinese() -> None:
    found = terms_of(plan(**EVERYTHING), "zh")
    assert found.startswith("每月 9.00 USD，每年预付 900.00 USD，")
    assert found.endswith("可用性 99.9 %，未达退还 10 %")
    with pytest.raises(UnknownLanguage):
        terms_of(plan(**EVERYTHING), "xx")
