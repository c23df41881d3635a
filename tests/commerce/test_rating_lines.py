"""Lines of every price model, worked by hand: what they say, what they count, what stands in their data."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from modelmint.commerce.metering.types import Cell, Distinct, Quantities
from modelmint.commerce.rating.rate import period_name, usage_lines
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.types import Charge, Fits, Plan, Tier
from modelmint.kit.money import UnitPrice

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)


def plan(currency: str, *charges: Charge) -> Plan:
    return Plan("clinic", "v", "Clinic", currency, None, charges, None, None, None, None)


def tier(price: str, up_to: int | None = None) -> Tier:
    amount, currency = price.split()
    return Tier(up_to, UnitPrice(Decimal(amount), currency))


def cell(meter: str, new: str, before: str = "0", period: datetime = NOVEMBER, **more: str) -> Cell:
    told = {"model": "reader", "variant": "int8", "state": "ok", **more}
    return Cell(period, meter, before=amounts(before), new=amounts(new), **told)


def amounts(text: str) -> Quantities:
    exact = Decimal(text)
    return Quantities(int(exact), exact, exact)


def rated(of: Plan, *cells: Cell, distinct: tuple[Distinct, ...] = ()) -> list[InvoiceLine]:
    return usage_lines(of, cells, distinct, NOVEMBER)


def minors(lines: list[InvoiceLine]) -> list[int]:
    return [line.amount.minor for line in lines]


def test_a_unit_price_finer_than_a_cent_is_rounded_once() -> None:
    # 0.0004 x 1,234 = 0.4936 USD -> 0.49
    (line,) = rated(plan("USD", Charge("calls", (tier("0.0004 USD"),), "per_unit")), cell("calls", "1234"))
    assert (line.quantity, line.amount.minor) == (1234, 49)
    assert line.explanation == (
        "calls of 2026-11: 1234 x 0.0004 USD = 0.4936 USD; 0.49 USD after rounding the period's running total of 1234"
    )


def test_quantities_with_decimals_say_above_and_to() -> None:
    # 2 included; 8 x 1.5 = 12; 0.25 x 0.5 = 0.125 JPY -> 0
    charge = Charge("megapixels", (tier("1.5 JPY", 8), tier("0.5 JPY")), "graduated", included=2)
    lines = rated(plan("JPY", charge), cell("megapixels", "10.25"))
    assert minors(lines) == [0, 12, 0]
    assert [line.quantity for line in lines] == [2, 8, Decimal("0.25")]
    assert [line.description for line in lines] == [
        "Clinic: megapixels above 0 to 2",
        "Clinic: megapixels above 2 to 10",
        "Clinic: megapixels above 10",
    ]
    assert lines[0].explanation == "megapixels above 0 to 2 of 2026-11, included: 2 x 0 JPY = 0 JPY"


def test_a_begun_package_is_paid_once_in_whichever_part_it_was_begun() -> None:
    # 250 units begin 3 packages of 100: 3 x 4.999 = 14.997 KWD. 40 more fill the third, 20 more begin a fourth.
    of = plan("KWD", Charge("pages", (tier("4.999 KWD"),), "package", package=100))
    (first,) = rated(of, cell("pages", "250"))
    (second,) = rated(of, cell("pages", "40", "250"))
    (third,) = rated(of, cell("pages", "20", "290"))
    assert [minors([line])[0] for line in (first, second, third)] == [14_997, 0, 4999]
    assert [line.quantity for line in (first, second, third)] == [3, 0, 1]
    assert third.explanation == (
        "pages of 2026-11: 20 after 290 begin 1 of 100 each: 1 x 4.999 KWD = 4.999 KWD; 3 are billed already"
    )
    assert (third.data["units"], third.data["units_before"], third.data["package"]) == (20, 290, 100)


def test_a_package_that_is_exactly_full_begins_no_other() -> None:
    of = plan("USD", Charge("pages", (tier("5 USD"),), "package", package=100))
    assert minors(rated(of, cell("pages", "100"))) == [500]
    assert minors(rated(of, cell("pages", "100.000001"))) == [1000]


def test_included_units_precede_packages() -> None:
    # 130 units, 50 included: 80 begin 2 packages of 50 at 3 CNY.
    charge = Charge("pages", (tier("3 CNY"),), "package", package=50, included=50)
    lines = rated(plan("CNY", charge), cell("pages", "130"))
    assert minors(lines) == [0, 600]
    assert lines[1].explanation.startswith("pages of 2026-11 beyond the included 50: 80 begin 2 of 50 each")


def test_a_percentage_is_of_stated_amounts() -> None:
    # 100.00 free; 2.5 % of 1,134.56 = 28.364 -> 28.36
    charge = Charge("sales", (), "percentage", percent=Decimal("0.025"), included=10_000)
    sales = Cell(NOVEMBER, "sales", "", "", "ok", Quantities(), Quantities(3, Decimal(3), Decimal(1), 123_456))
    free, paid = rated(plan("USD", charge), sales)
    assert minors([free, paid]) == [0, 2836]
    assert (paid.quantity, str(paid.unit_price)) == (Decimal("1134.56"), "0.025 USD")
    assert paid.description == "Clinic: 2.5 % of sales"
    assert paid.explanation.startswith(
        "amounts of sales of 2026-11: 2.5 % of 1134.56 USD = 28.36400 USD; 28.36 USD after"
    )


def test_a_percentage_in_yen_has_no_coins() -> None:
    # 3 % of 777 = 23.31 -> 23
    charge = Charge("sales", (), "percentage", percent=Decimal("0.03"))
    sales = Cell(NOVEMBER, "sales", "", "", "ok", Quantities(), Quantities(1, Decimal(1), Decimal(1), 777))
    assert minors(rated(plan("JPY", charge), sales)) == [23]


def test_the_small_variant_is_free_and_an_abstained_answer_cheaper() -> None:
    of = plan(
        "USD",
        Charge("calls", (tier("0 USD"),), "per_unit", fits=Fits(variant="small")),
        Charge("calls", (tier("0.002 USD"),), "per_unit", fits=Fits(state="abstained")),
        Charge("calls", (tier("0.02 USD"),), "per_unit"),
    )
    lines = rated(
        of,
        cell("calls", "10", variant="small"),
        cell("calls", "5", variant="small", state="abstained"),
        cell("calls", "50", state="abstained"),
        cell("calls", "100"),
    )
    # 15 free, 50 x 0.002 = 0.10, 100 x 0.02 = 2.00
    assert [(line.quantity, line.amount.minor) for line in lines] == [(15, 0), (50, 10), (100, 200)]
    assert lines[1].description == "Clinic: calls (state abstained)"
    assert lines[1].data["fits"] == {"state": "abstained"}


def test_usage_that_no_charge_fits_costs_nothing() -> None:
    of = plan("USD", Charge("calls", (tier("1 USD"),), "per_unit", fits=Fits(model="other")))
    assert rated(of, cell("calls", "5"), cell("pages", "9")) == []


def test_count_max_and_unique_count_events_the_largest_and_different_values() -> None:
    of = plan(
        "CNY",
        Charge("jobs", (tier("2 CNY"),), "per_unit", "count"),
        Charge("disk", (tier("0.5 CNY"),), "per_unit", "max"),
        Charge("patients", (tier("3 CNY"),), "per_unit", "unique"),
    )
    jobs = Cell(NOVEMBER, "jobs", "", "", "ok", Quantities(), Quantities(4, Decimal(900), Decimal(500)))
    disk = [
        Cell(
            NOVEMBER,
            "disk",
            "a",
            "",
            "ok",
            Quantities(1, Decimal(8), Decimal(8)),
            Quantities(1, Decimal(7), Decimal(7)),
        ),
        Cell(NOVEMBER, "disk", "b", "", "ok", Quantities(), Quantities(2, Decimal(15), Decimal(11))),
    ]
    lines = rated(of, jobs, *disk, distinct=(Distinct(NOVEMBER, "patients", 10, 2),))
    # 4 events; the largest rises from 8 to 11; 2 new patients.
    assert [(line.quantity, line.amount.minor) for line in lines] == [(4, 800), (3, 150), (2, 600)]
    assert [line.description for line in lines] == [
        "Clinic: number of jobs",
        "Clinic: largest disk",
        "Clinic: different patients",
    ]
    assert lines[2].explanation.endswith("10 are billed already")


def test_late_usage_stands_after_the_rest_and_says_so() -> None:
    of = plan("USD", Charge("calls", (tier("1 USD", 10), tier("0.5 USD")), "graduated"))
    lines = rated(of, cell("calls", "4", "8", OCTOBER), cell("calls", "3"))
    # November: 3 x 1. October: 2 left in the first tier, 2 in the second.
    assert minors(lines) == [300, 200, 100]
    assert [line.data["late"] for line in lines] == [False, True, True]
    assert (
        lines[2].explanation == "calls 11 and up of 2026-10: 2 x 0.5 USD = 1.00 USD; counted after 2026-10 was closed"
    )


def test_a_plan_without_a_price_has_no_lines() -> None:
    free = Plan("trial", "v", "Trial", None, None, (), 200, 14, None, None)
    assert rated(free, cell("calls", "5")) == []


def test_a_billing_period_is_called_by_its_month_or_its_first_day() -> None:
    assert period_name(NOVEMBER) == "2026-11"
    assert period_name(datetime(2026, 11, 15, tzinfo=UTC)) == "2026-11-15"
