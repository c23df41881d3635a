"""Laws of prices: a period in parts costs what it costs whole, and more never costs less."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st

from modelmint.commerce.metering.types import Cell, Distinct, Quantities
from modelmint.commerce.rating.rate import usage_lines
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.types import Charge, Fits, Plan, Tier
from modelmint.kit.money import Money, UnitPrice

MONTH = datetime(2026, 11, 1, tzinfo=UTC)
prices = st.decimals(min_value=0, max_value=20, places=5)
#: Model and state of a cell.
PLACES = list(product(("small", "big"), ("ok", "abstained")))
fits = st.sampled_from([Fits(), Fits(model="small"), Fits(state="abstained"), Fits(model="big", state="ok")])


@st.composite
def charges(draw: st.DrawFn, meter: str, currency: str, shape: str = "any") -> Charge:
    """Any charge: every kind with every aggregate that it goes with, units included or not."""
    kind = draw(st.sampled_from(["per_unit", "graduated", "package", "percentage"]))
    aggregate = draw(st.sampled_from(["sum", "count", "max", "unique"]))
    included = draw(st.just(0) | st.integers(1, 300))
    wanted = Fits() if aggregate == "unique" else draw(fits)
    if kind == "percentage":
        share = draw(st.decimals(0, 1, places=4))
        return Charge(meter, (), kind, "sum", draw(fits), percent=share, included=included)
    if kind == "package":
        tiers: Sequence[Tier] = (Tier(None, UnitPrice(draw(prices), currency)),)
        return Charge(meter, tuple(tiers), kind, aggregate, wanted, package=draw(st.integers(1, 50)), included=included)
    ends = sorted(draw(st.sets(st.integers(1, 400), max_size=3))) if kind == "graduated" else []
    tiers = tuple(Tier(end, UnitPrice(draw(prices), currency)) for end in [*ends, None])
    return Charge(meter, tiers, kind, aggregate, wanted, included=included)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """One to three charges, over one meter each or over the same."""
    currency = draw(st.sampled_from(["USD", "CNY", "JPY", "KWD"]))
    meters = draw(st.lists(st.sampled_from(["calls", "megapixels", "pages"]), min_size=1, max_size=3))
    return Plan("p", "v", "Plan", currency, None, tuple(draw(charges(m, currency)) for m in meters), *[None] * 4)


@dataclass(frozen=True)
class Part:
    """What is used in one part of a period: by meter and place, and the values seen."""

    used: dict[tuple[str, str, str], Quantities]
    values: dict[str, frozenset[int]]


quantities = st.builds(
    Quantities, st.integers(0, 9), st.decimals(0, 300, places=6), st.decimals(0, 300, places=6), st.integers(0, 50_000)
)


@st.composite
def parts(draw: st.DrawFn) -> Part:
    names = [(meter, *place) for meter in ("calls", "megapixels", "pages") for place in PLACES]
    used = {name: draw(quantities) for name in draw(st.sets(st.sampled_from(names), max_size=6))}
    return Part(used, {meter: draw(st.frozensets(st.integers(0, 40))) for meter in ("calls", "megapixels", "pages")})


def added(one: Quantities, other: Quantities) -> Quantities:
    largest = max(one.largest, other.largest)
    return Quantities(one.n + other.n, one.sum + other.sum, largest, one.amount + other.amount)


def rated(plan: Plan, before: Sequence[Part], now: Sequence[Part], period: datetime = MONTH) -> list[InvoiceLine]:
    """The lines of ``now`` after ``before``, as one part."""

    def sums(of: Sequence[Part]) -> dict[tuple[str, str, str], Quantities]:
        found: dict[tuple[str, str, str], Quantities] = {}
        for part in of:
            for name, quantity in part.used.items():
                found[name] = added(found.get(name, Quantities()), quantity)
        return found

    def seen(of: Sequence[Part], meter: str) -> frozenset[int]:
        return frozenset().union(*(part.values[meter] for part in of))

    old, new = sums(before), sums(now)
    cells = [
        Cell(
            MONTH,
            meter,
            model,
            "v",
            state,
            old.get((meter, model, state), Quantities()),
            new.get((meter, model, state), Quantities()),
        )
        for meter, model, state in sorted(old.keys() | new.keys())
    ]
    distinct = [
        Distinct(MONTH, meter, len(seen(before, meter)), len(seen(now, meter) - seen(before, meter)))
        for meter in ("calls", "megapixels", "pages")
    ]
    return usage_lines(plan, cells, distinct, period)


def summed(lines: Sequence[InvoiceLine]) -> int:
    return sum(line.amount.minor for line in lines)


def in_parts(plan: Plan, used: Sequence[Part]) -> Iterator[InvoiceLine]:
    for place, part in enumerate(used):
        yield from rated(plan, used[:place], [part])


@given(plans(), st.lists(parts(), min_size=1, max_size=4))
def test_a_period_rated_in_parts_equals_the_period_rated_once(plan: Plan, used: list[Part]) -> None:
    whole, cut = rated(plan, [], used), list(in_parts(plan, used))
    assert summed(cut) == summed(whole)

    def by_tier(lines: list[InvoiceLine]) -> dict[object, int]:
        # Not by its words: a span of quantities with decimals is told in others.
        names = [
            (line.kind, line.meter, str(line.data["fits"]), line.data["aggregate"], line.data["first"])
            for line in lines
        ]
        return {name: summed([line for line, one in zip(lines, names, strict=True) if one == name]) for name in names}

    # And so it is for every span of every charge by itself, unless two charges count the same.
    assert {name: sum_ for name, sum_ in by_tier(cut).items() if sum_} == {
        name: sum_ for name, sum_ in by_tier(whole).items() if sum_
    }


@given(plans(), parts(), parts())
def test_more_usage_never_lowers_a_bill(plan: Plan, some: Part, more: Part) -> None:
    assert summed(rated(plan, [], [some])) <= summed(rated(plan, [], [some, more]))


@given(plans(), parts(), parts())
def test_no_part_of_a_period_is_ever_a_refund(plan: Plan, some: Part, more: Part) -> None:
    assert all(line.amount.minor >= 0 for line in rated(plan, [some], [more]))


@given(plans(), parts(), parts())
def test_a_line_is_within_a_coin_of_the_exact_price(plan: Plan, some: Part, more: Part) -> None:
    for line in rated(plan, [some], [more]):
        assert line.unit_price is not None
        exact = line.unit_price.amount * line.quantity
        coin = Money(1, line.amount.currency).amount
        # Half a coin at each end of the running total.
        assert abs(line.amount.amount - exact) <= (coin if line.data["before"] else coin * Decimal("0.5"))
        assert line.data["rounded"] == (line.amount.amount != exact)


@given(plans(), parts(), parts())
def test_every_unit_stands_on_one_line(plan: Plan, some: Part, more: Part) -> None:
    """Of sums: what is new is what the lines of the meter's charges hold together; a percentage holds amounts."""
    for meter in ("calls", "megapixels", "pages"):
        mine = [charge for charge in plan.charges if charge.meter == meter]
        if len(mine) != 1 or mine[0].fits != Fits() or mine[0].aggregate != "sum" or mine[0].kind == "percentage":
            continue
        lines = [line for line in rated(plan, [some], [more]) if line.meter == meter]
        units = [Decimal(line.data["units"]) if "units" in line.data else Decimal(line.quantity) for line in lines]
        assert sum(units) == sum(q.sum for name, q in more.used.items() if name[0] == meter)


@given(plans(), parts())
def test_usage_is_counted_by_the_first_charge_that_fits_and_by_no_other(plan: Plan, used: Part) -> None:
    """Taking all later charges over a meter away changes nothing for what the first ones counted."""
    for place in range(len(plan.charges)):
        shorter = replace(plan, charges=plan.charges[: place + 1])
        longer = rated(plan, [], [used])
        for line in rated(shorter, [], [used]):
            assert line in longer


@given(plans(), parts(), parts())
def test_late_usage_costs_what_it_would_have_cost_in_time(plan: Plan, some: Part, more: Part) -> None:
    later = datetime(2026, 12, 1, tzinfo=UTC)
    late = rated(plan, [some], [more], later)
    assert summed(late) == summed(rated(plan, [some], [more]))
    assert all(line.data["late"] and "counted after 2026-11 was closed" in line.explanation for line in late)


@given(plans(), st.lists(parts(), min_size=2, max_size=5))
def test_lines_of_one_tier_follow_each_other_without_a_gap(plan: Plan, used: list[Part]) -> None:
    first = replace(plan, charges=plan.charges[:1])
    seen = [line for line in in_parts(first, used) if "percent" not in line.data or not line.data["included"]]
    for one, other in pairwise(seen):
        if one.data["first"] == other.data["first"]:
            assert Decimal(other.data["before"]) == Decimal(one.data["before"]) + one.quantity
