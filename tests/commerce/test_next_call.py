"""What the next call costs: the tier in which it falls, by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from modelmint.commerce.metering.types import UsageRow
from modelmint.commerce.rating.next_call import Fed, price_of
from modelmint.commerce.rating.share import Share
from modelmint.testing.books import some_plans

PERIOD = datetime(2026, 11, 1, tzinfo=UTC)
CALL = {"calls": Decimal(1), "items": Decimal(1)}


def used(calls: int, meter: str = "calls") -> list[UsageRow]:
    return [UsageRow("", "m", "v", "", meter, "ok", calls, Decimal(calls))]


@pytest.mark.parametrize(
    ("table", "before", "fed", "price"),
    [
        ({"per_call": "0.002 USD"}, 0, CALL, "0.002"),
        ({"monthly": "49 USD", "included_calls": 10, "overage": "0.015 USD"}, 0, CALL, "0"),
        ({"monthly": "49 USD", "included_calls": 10, "overage": "0.015 USD"}, 9, CALL, "0"),
        ({"monthly": "49 USD", "included_calls": 10, "overage": "0.015 USD"}, 10, CALL, "0.015"),
        (
            {"charges": [{"meter": "calls", "tiers": [{"up_to": 2, "price": "0.02 USD"}, {"price": "0.01 USD"}]}]},
            2,
            CALL,
            "0.01",
        ),
        ({"charges": [{"meter": "calls", "package": 5, "price": "1 USD", "kind": "package"}]}, 5, CALL, "1"),
        ({"charges": [{"meter": "calls", "package": 5, "price": "1 USD", "kind": "package"}]}, 6, CALL, "0"),
        (
            {"charges": [{"meter": "calls", "price": "0.02 USD"}, {"meter": "explanations", "price": "0.005 USD"}]},
            3,
            {**CALL, "explanations": Decimal(1)},
            "0.025",
        ),
    ],
)
def test_a_call_costs_what_its_tier_says(
    table: dict[str, Any], before: int, fed: dict[str, Decimal], price: str
) -> None:
    (plan,) = some_plans({"p": table})
    found = price_of(plan, Fed("m", "v", "ok", fed), used(before) if before else [], PERIOD)
    assert found is not None and found.amount == Decimal(price)


def test_a_plan_without_a_price_has_none_and_a_share_of_a_period_includes_less() -> None:
    (trial,) = some_plans({"trial": {"free_calls": 5}})
    assert price_of(trial, Fed("m", "v", "ok", CALL), [], PERIOD) is None
    (plan,) = some_plans({"p": {"monthly": "49 USD", "included_calls": 10, "overage": "0.015 USD"}})
    half = price_of(plan, Fed("m", "v", "ok", CALL), used(5), PERIOD, Share(1, 2))
    assert half is not None and half.amount == Decimal("0.015")
