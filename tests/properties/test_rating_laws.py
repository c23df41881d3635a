"""Laws of prices: a month in parts costs what it costs whole, and more never costs less."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from modelmint.commerce.metering.types import MeterTotals
from modelmint.commerce.rating.rate import rate
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.types import Charge, Plan, Tier
from modelmint.kit.money import Money, UnitPrice

MONTH = datetime(2026, 11, 1, tzinfo=UTC)
prices = st.decimals(min_value=0, max_value=20, places=5)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan with a price: fee or none, one to four tiers over calls, perhaps a charge over items."""
    currency = draw(st.sampled_from(["USD", "CNY", "JPY", "KWD"]))
    ends = sorted(draw(st.sets(st.integers(1, 400), max_size=3)))
    tiers = tuple(Tier(end, UnitPrice(draw(prices), currency)) for end in [*ends, None])
    charges = [Charge("calls", tiers)]
    if draw(st.booleans()):
        charges.append(Charge("items", (Tier(None, UnitPrice(draw(prices), currency)),)))
    fee = draw(st.none() | st.integers(0, 10_000).map(lambda minor: Money(minor, currency)))
    return Plan("p", "v", "Plan", currency, fee, tuple(charges), None, None, None, None)


def totals(before: int, new: int) -> MeterTotals:
    return MeterTotals("sub", MONTH, {"calls": before, "items": 3 * before}, {"calls": new, "items": 3 * new})


def summed(lines: list[InvoiceLine]) -> int:
    return sum(line.amount.minor for line in lines)


@given(plans(), st.lists(st.integers(0, 500), min_size=1, max_size=6))
def test_a_month_rated_in_parts_equals_the_month_rated_once(plan: Plan, parts: list[int]) -> None:
    whole = rate(plan, totals(0, sum(parts)), fee_due=True)
    before, cut = 0, []
    for position, part in enumerate(parts):
        cut += rate(plan, totals(before, part), fee_due=position == 0)
        before += part
    assert summed(cut) == summed(whole)
    # And so it is for every tier by itself.
    by_tier = lambda lines: {  # noqa: E731  # one expression, used twice
        key: summed([line for line in lines if (line.meter, line.data.get("first")) == key])
        for key in {(line.meter, line.data.get("first")) for line in lines}
    }
    assert by_tier(cut) == by_tier(whole)


@given(plans(), st.integers(0, 500), st.integers(0, 500))
def test_the_lines_hold_every_unit_once(plan: Plan, before: int, new: int) -> None:
    lines = rate(plan, totals(before, new), fee_due=False)
    assert sum(line.quantity for line in lines if line.meter == "calls") == new
    if len(plan.charges) == 2:
        assert sum(line.quantity for line in lines if line.meter == "items") == 3 * new


@given(plans(), st.integers(0, 500), st.integers(0, 500))
def test_more_usage_never_lowers_a_bill(plan: Plan, less: int, more: int) -> None:
    low, high = sorted((less, more))
    assert summed(rate(plan, totals(0, low), fee_due=True)) <= summed(rate(plan, totals(0, high), fee_due=True))


@given(plans(), st.integers(0, 500), st.integers(0, 500))
def test_no_part_of_a_month_is_ever_a_refund(plan: Plan, before: int, new: int) -> None:
    assert all(line.amount.minor >= 0 for line in rate(plan, totals(before, new), fee_due=False))


@given(plans(), st.integers(0, 500), st.integers(0, 500))
def test_a_bill_is_within_half_a_coin_of_the_exact_price_in_every_tier(plan: Plan, before: int, new: int) -> None:
    for line in rate(plan, totals(before, new), fee_due=False):
        assert line.unit_price is not None
        exact = line.unit_price.amount * line.quantity
        coin = Money(1, line.amount.currency).amount
        # Half a coin at each end of the running total.
        assert abs(line.amount.amount - exact) <= (coin if line.data["before"] else coin / 2)


@given(plans(), st.lists(st.integers(0, 60), min_size=2, max_size=8))
def test_lines_of_one_tier_follow_each_other_without_a_gap(plan: Plan, parts: list[int]) -> None:
    before, seen = 0, []
    for part in parts:
        seen += [line for line in rate(plan, totals(before, part), fee_due=False) if line.meter == "calls"]
        before += part
    for one, other in pairwise(seen):
        if one.data["first"] == other.data["first"]:
            assert other.data["before"] == one.data["before"] + one.quantity
        else:
            assert other.data["first"] > one.data["first"]
            assert other.data["before"] == Decimal(0)
