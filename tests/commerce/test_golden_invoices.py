"""Invoices worked by hand: every price model and every step, in currencies with two, no and three decimals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from modelmint.commerce.billing.periods import beginning_in, end_of, year_of
from modelmint.commerce.billing.types import Held, Invoice, Kept
from modelmint.commerce.errors import PeriodNotOver, Unbalanced
from modelmint.commerce.ledger.postings import check_balanced, postings
from modelmint.commerce.metering.types import Cell, Distinct, Quantities
from modelmint.commerce.moments import days_text
from modelmint.kit.period import Period, billing_period, month_of
from modelmint.testing.billing import NOVEMBER, Case, a_cell, a_grant, a_plan

TENTH = datetime(2026, 11, 10, 12, tzinfo=UTC)


def stated(meter: str, minor: int, n: int = 1) -> Cell:
    """Events that state an amount."""
    return Cell(NOVEMBER.start, meter, "", "", "ok", Quantities(), Quantities(n, Decimal(n), Decimal(1), minor))


def largest(meter: str, value: str) -> Cell:
    """Events of which the largest is known."""
    return Cell(NOVEMBER.start, meter, "", "", "ok", Quantities(), Quantities(9, Decimal(20), Decimal(value)))


def charge(**keys: Any) -> dict[str, Any]:
    return {"charges": [keys]}


def tiers(*steps: tuple[int | None, str]) -> list[dict[str, Any]]:
    return [({} if end is None else {"up_to": end}) | {"price": price} for end, price in steps]


#: Name, plan, what was used, the lines' amounts in minor units.
MODELS: list[tuple[str, dict[str, Any], list[Cell], list[int]]] = [
    # 12,345 x 0.02 = 246.90
    ("per unit, usd", {"per_call": "0.02 USD"}, [a_cell("calls", 12_345)], [24_690]),
    # 3 x 0.015 = 0.045, half up
    ("per unit, half a cent", {"per_call": "0.015 USD"}, [a_cell("calls", 3)], [5]),
    # 1.234567 x 0.35 = 0.43209845
    ("per unit, cny", charge(meter="megapixels", price="0.35 CNY"), [a_cell("megapixels", "1.234567")], [43]),
    # 333 x 0.755 = 251.415
    ("per unit, jpy", {"per_call": "0.755 JPY"}, [a_cell("calls", 333)], [251]),
    # 333 x 0.0125 = 4.1625
    ("per unit, kwd", {"per_call": "0.0125 KWD"}, [a_cell("calls", 333)], [4163]),
    # 49 held all month; 5000 included; 1234 x 0.01 = 12.34
    (
        "monthly with overage, usd",
        {"monthly": "49 USD", "included_calls": 5000, "overage": "0.01 USD"},
        [a_cell("calls", 6234)],
        [4900, 0, 1234],
    ),
    # 199 + 10 x 0.35 = 3.50
    (
        "monthly with items, cny",
        {"monthly": "199 CNY", **charge(meter="items", price="0.35 CNY")},
        [a_cell("calls", 2), a_cell("items", 10)],
        [19_900, 350],
    ),
    # 100 x 1.5 = 150; 400 x 0.755 = 302; 7 x 0.1 = 0.7 -> 1
    (
        "graduated, jpy",
        charge(tiers=tiers((100, "1.5 JPY"), (500, "0.755 JPY"), (None, "0.1 JPY"))),
        [a_cell("calls", 507)],
        [150, 302, 1],
    ),
    # 20 included; then 80 x 0.125 = 10.000, 1 x 0.0995 = 0.0995 -> 0.100
    (
        "graduated after included, kwd",
        charge(tiers=tiers((80, "0.125 KWD"), (None, "0.0995 KWD")), included=20),
        [a_cell("calls", 101)],
        [0, 10_000, 100],
    ),
    # 201 scans are three begun packages of 100 at 9.99
    ("package, usd", charge(meter="scans", package=100, price="9.99 USD"), [a_cell("scans", 201)], [2997]),
    # 50 included; 0.5 of a package is begun: 1 x 120
    (
        "package after included, jpy",
        charge(meter="scans", package=100, price="120 JPY", included=50),
        [a_cell("scans", 100)],
        [0, 120],
    ),
    # 2.5 % of 1234.56 = 30.864
    (
        "percentage, cny",
        {"currency": "CNY", **charge(meter="sales", percent="2.5 %")},
        [stated("sales", 123_456)],
        [3086],
    ),
    # 0.1 % of 12.345 = 0.012345
    ("percentage, kwd", {"currency": "KWD", **charge(meter="sales", percent="0.1 %")}, [stated("sales", 12_345)], [12]),
    # seven events at 0.50
    ("count, usd", charge(meter="scans", aggregate="count", price="0.50 USD"), [stated("scans", 0, 7)], [350]),
    # the largest was 12.5: x 2.10 = 26.25
    ("max, usd", charge(meter="seats", aggregate="max", price="2.10 USD"), [largest("seats", "12.5")], [2625]),
]


def invoice(table: dict[str, Any], *cells: Cell, **more: Any) -> Invoice:
    found = Case(a_plan(**table), cells, **more).invoice()
    assert found is not None
    return found


def minors(found: Invoice) -> list[int]:
    return [line.amount.minor for line in found.lines]


@pytest.mark.parametrize(("table", "cells", "wanted"), [row[1:] for row in MODELS], ids=[row[0] for row in MODELS])
def test_each_price_model_comes_to_what_was_worked_out_by_hand(
    table: dict[str, Any], cells: list[Cell], wanted: list[int]
) -> None:
    found = invoice(table, *cells)
    assert minors(found) == wanted
    assert found.subtotal.minor == found.total.minor == found.due.minor == sum(wanted)


def test_different_values_are_counted_once() -> None:
    # 12 patients seen, 5 of them on an earlier invoice: 7 x 0.30 = 2.10
    table = charge(meter="patients", aggregate="unique", price="0.30 CNY")
    assert minors(invoice(table, distinct=(Distinct(NOVEMBER.start, "patients", 5, 7),))) == [210]


@pytest.mark.parametrize(
    ("fee", "held", "wanted"),
    [
        # 20.5 of 30 days: 49.00 x 20.5 / 30 = 33.4833
        ("49 USD", Held(TENTH, None), 3348),
        # ten whole days of thirty
        ("199 CNY", Held(NOVEMBER.start, NOVEMBER.start + timedelta(days=10)), 6633),
        # half a day: 5000 x 0.5 / 30 = 83.33
        ("5000 JPY", Held(NOVEMBER.start, NOVEMBER.start + timedelta(hours=12)), 83),
        # 20.5 days: 15.000 x 20.5 / 30 = 10.250
        ("15 KWD", Held(TENTH, NOVEMBER.end + timedelta(days=3)), 10_250),
    ],
)
def test_a_monthly_fee_is_shared_by_the_time_held(fee: str, held: Held, wanted: int) -> None:
    assert minors(invoice({"monthly": fee}, held=(held,))) == [wanted]


def test_a_line_of_a_shared_fee_says_its_arithmetic() -> None:
    (line,) = invoice({"monthly": "49 USD"}, held=(Held(TENTH, None),)).lines
    assert line.explanation == "the monthly fee for 2026-11: 20 days 12:00:00 of 30 days x 49.00 USD = 33.48 USD"
    assert (line.quantity, line.description) == (Decimal("0.683333"), "Clinic, 2026-11")
    (whole,) = invoice({"monthly": "49 USD"}).lines
    assert (whole.quantity, whole.explanation) == (1, "the monthly fee for 2026-11: 1 x 49.00 USD")


def test_a_pause_costs_no_fee() -> None:
    # 5 days, then 10 days: 49.00 x 15 / 30
    days = [NOVEMBER.start + timedelta(days=n) for n in (0, 5, 20)]
    assert minors(invoice({"monthly": "49 USD"}, held=(Held(days[0], days[1]), Held(days[2], None)))) == [2450]


def test_a_billing_period_may_begin_on_any_day() -> None:
    period = billing_period(TENTH, 31)
    assert (period.start, period.end) == (datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC))
    # 10.5 of 30 days
    found = invoice(
        {"monthly": "49 USD"}, held=(Held(period.end - timedelta(days=10.5), None),), part=period, anchor=31
    )
    assert minors(found) == [1715]
    assert beginning_in(month_of(TENTH), 31).start == period.end


def test_a_yearly_fee_is_paid_in_advance_and_its_rest_given_back() -> None:
    table = {"yearly": "365 USD"}
    first = invoice(table, held=(Held(TENTH, None),))
    assert minors(first) == [36_500]
    december = billing_period(NOVEMBER.end)
    assert Case(a_plan(**table), held=(Held(TENTH, None),), part=december).invoice() is None
    # given up after 40 of 365 days: 325.00 come back
    left = invoice(table, held=(Held(TENTH, TENTH + timedelta(days=40)),), part=december)
    assert minors(left) == [-32_500]
    assert (left.due.minor, left.credit.minor, left.burns) == (0, -32_500, ())
    # taken up again ten days later: the rest of the year, 315 days
    again = invoice(
        table, held=(Held(TENTH, TENTH + timedelta(days=40)), Held(TENTH + timedelta(days=50), None)), part=december
    )
    assert minors(again) == [-32_500, 31_500]
    # and a year after the first moment the next one begins
    next_year = billing_period(datetime(2027, 11, 10, tzinfo=UTC))
    assert minors(invoice(table, held=(Held(TENTH, None),), part=next_year)) == [36_500]


def test_a_year_from_the_29th_of_february_ends_on_the_28th() -> None:
    since = datetime(2028, 2, 29, tzinfo=UTC)
    assert year_of(since, since) == Period(since, datetime(2029, 2, 28, tzinfo=UTC))
    assert year_of(datetime(2032, 2, 28, tzinfo=UTC), since).start == datetime(2031, 2, 28, tzinfo=UTC)
    assert year_of(datetime(2032, 2, 29, tzinfo=UTC), since).start == datetime(2032, 2, 29, tzinfo=UTC)


LAST_DAY = (Held(NOVEMBER.end - timedelta(days=1), None),)
TEN_DAYS = (Held(NOVEMBER.start, NOVEMBER.start + timedelta(days=10)),)


@pytest.mark.parametrize(
    ("table", "cell", "held", "wanted"),
    [
        # 1 of 30 days: 49.00 / 30 = 1.6333; 5000 / 30 = 166.67 -> 167 included, the other 4833 x 0.01 = 48.33
        (
            {"monthly": "49 USD", "included_calls": 5000, "overage": "0.01 USD"},
            a_cell("calls", 5000),
            LAST_DAY,
            [163, 0, 4833],
        ),
        # the same, where the seller leaves the period's units whole
        (
            {"monthly": "49 USD", "included_calls": 5000, "overage": "0.01 USD", "prorate_included": False},
            a_cell("calls", 5000),
            LAST_DAY,
            [163, 0],
        ),
        # 10 of 30 days: 15.000 / 3 = 5.000; 20 / 3 = 6.67 -> 7 included; the tier to 100 / 3 = 33.3 -> 34 holds
        # 27 x 0.125 = 3.375; the other 67 x 0.0995 = 6.6665 -> 6.667
        (
            {"monthly": "15 KWD", **charge(tiers=tiers((80, "0.125 KWD"), (None, "0.0995 KWD")), included=20)},
            a_cell("calls", 101),
            TEN_DAYS,
            [5000, 0, 3375, 6667],
        ),
        # 3000 / 3 = 1000; 50 / 3 = 16.67 -> 17 included; the other 83 begin 1 of 100: 120
        (
            {"monthly": "3000 JPY", **charge(meter="scans", package=100, price="120 JPY", included=50)},
            a_cell("scans", 100),
            TEN_DAYS,
            [1000, 0, 120],
        ),
        # 30.00 / 3 = 10.00; the first 100.00 / 3 = 33.333 -> 33.34 free; 2.5 % of 66.66 = 1.6665 -> 1.67
        (
            {"monthly": "30 CNY", **charge(meter="sales", percent="2.5 %", included=10_000)},
            stated("sales", 10_000),
            TEN_DAYS,
            [1000, 0, 167],
        ),
        # 10.00; 2000 x 0.05 = 100.00, of which 100.00 / 3 = 33.33 are charged
        (
            {"monthly": "30 USD", **charge(price="0.05 USD"), "cap": "100 USD"},
            a_cell("calls", 2000),
            TEN_DAYS,
            [1000, 10_000, -6667],
        ),
        # the largest value is no sum: 3 seats stay included; 2.5 x 2.00 = 5.00
        (
            {"monthly": "30 USD", **charge(meter="seats", aggregate="max", price="2 USD", included=3)},
            largest("seats", "5.5"),
            TEN_DAYS,
            [1000, 0, 500],
        ),
        # without a fee what is free is free on any day
        (charge(price="0.01 USD", included=500), a_cell("calls", 500), LAST_DAY, [0]),
    ],
)
def test_what_a_fee_includes_is_for_the_time_held(
    table: dict[str, Any], cell: Cell, held: tuple[Held, ...], wanted: list[int]
) -> None:
    assert minors(invoice(table, cell, held=held)) == wanted


def test_units_for_a_share_of_a_period_say_for_which() -> None:
    table = {"monthly": "49 USD", "included_calls": 5000, "overage": "0.01 USD"}
    lines = invoice(table, a_cell("calls", 5000), held=LAST_DAY).lines
    assert [line.explanation for line in lines[1:]] == [
        "calls 1 to 167 of 2026-11: 167 x 0 USD = 0.00 USD; included units and tiers are for 1 day of 30 days",
        "calls 168 and up of 2026-11: 4833 x 0.01 USD = 48.33 USD; included units and tiers are for 1 day of 30 days",
    ]


def test_what_was_billed_counts_anew_when_a_plan_is_given_up_after_an_invoice_in_the_middle() -> None:
    table = {"monthly": "49 USD", "included_calls": 600, "overage": "0.01 USD"}
    eleventh, sixteenth = (NOVEMBER.start + timedelta(days=days) for days in (10, 15))
    # 10 of 30 days: 16.33; it counts as held to the end, so all 600 are included
    first = invoice(table, a_cell("calls", 600), part=Period(NOVEMBER.start, eleventh))
    assert minors(first) == [1633, 0]
    # given up after 15 days: 24.50 - 16.33; of 600 / 2 = 300 included, 300 x 0.01 = 3.00 more
    rest = {"held": (Held(NOVEMBER.start, sixteenth),), "part": Period(eleventh, NOVEMBER.end)}
    second = invoice(table, a_cell("calls", 0, 600), **rest)
    assert minors(second) == [817, 300]
    assert second.lines[1].explanation == (
        "calls of 2026-11: 600 came to 0.00 USD for a plan held 30 days of 30 days; for 15 days they come to 3.00 USD"
    )
    # billed once: 24.50 + 3.00
    once = invoice(table, a_cell("calls", 600), held=rest["held"])
    assert minors(once) == [2450, 0, 300]
    assert once.total == first.total + second.total


@pytest.mark.parametrize(
    ("table", "calls", "wanted"),
    [
        # 3000 x 0.05 = 150.00, of which 100.00 are charged
        ({"per_call": "0.05 USD", "cap": "100 USD"}, 3000, [15_000, -5000]),
        # 100 x 0.05 = 5.00, 20.00 agreed
        ({"per_call": "0.05 USD", "minimum": "20 USD"}, 100, [500, 1500]),
        # fee and usage: 10 + 5 of 20
        ({"monthly": "10 CNY", "charges": [{"price": "0.05 CNY"}], "minimum": "20 CNY"}, 100, [1000, 500, 500]),
        # 90 x 3 = 270, between the two
        ({"per_call": "3 JPY", "minimum": "200 JPY", "cap": "300 JPY"}, 90, [270]),
        # beyond both: 400 x 0.5 = 200.000
        ({"per_call": "0.5 KWD", "minimum": "20 KWD", "cap": "120 KWD"}, 400, [200_000, -80_000]),
    ],
)
def test_usage_is_capped_and_a_period_comes_to_its_minimum(
    table: dict[str, Any], calls: int, wanted: list[int]
) -> None:
    assert minors(invoice(table, a_cell("calls", calls))) == wanted


def test_a_minimum_is_agreed_for_the_time_held() -> None:
    # 15 of 30 days: 10.00; nothing was used
    assert minors(
        invoice({"per_call": "1 USD", "minimum": "20 USD"}, held=(Held(NOVEMBER.start + timedelta(15), None),))
    ) == [1000]


def test_a_cap_goes_on_where_the_part_before_stopped() -> None:
    table = {"per_call": "0.05 USD", "cap": "100 USD"}
    # 1900 calls are 95.00 on an earlier invoice; 200 more are 10.00, of which 5.00 are charged
    found = invoice(table, a_cell("calls", 200, 1900))
    assert minors(found) == [1000, -500]
    assert found.lines[1].explanation == (
        "usage of 2026-11 comes to 105.00 USD; at most 100.00 USD is charged; 95.00 USD is billed already"
    )


def test_late_usage_is_taken_out_of_what_the_minimum_had_added() -> None:
    table = {"per_call": "0.05 USD", "minimum": "20 USD"}
    december = billing_period(NOVEMBER.end)
    # November: 5.00 used, 15.00 added. 40 calls came late: 2.00, less 2.00. December itself: 20.00.
    found = invoice(table, a_cell("calls", 40, 100), part=december)
    assert minors(found) == [200, 2000, -200]


PROMISE = {
    "monthly": "100 USD",
    "charges": [{"price": "0.01 USD"}],
    "promise": {"p99_ms": 50, "availability": "99.9 %", "credit": "10 %"},
}


@pytest.mark.parametrize(
    ("kept", "credit"),
    [
        (Kept(1000, 1, Decimal("50")), []),  # 99.9 % exactly, 50 ms exactly: kept
        (Kept(1000, 1, Decimal("50.001")), [-1100]),  # 10 % of 100.00 + 10.00
        (Kept(1000, 2, Decimal("1")), [-1100]),  # 99.8 %
        (Kept(1000, 500, Decimal("900")), [-1100]),  # both missed: given back once
        (Kept(0, 0, None), []),
    ],
)
def test_a_promise_that_was_not_kept_gives_a_share_back(kept: Kept, credit: list[int]) -> None:
    assert minors(invoice(PROMISE, a_cell("calls", 1000), kept=kept)) == [10_000, 1000, *credit]


def test_a_missed_promise_says_what_was_measured() -> None:
    found = invoice(PROMISE, a_cell("calls", 1000), kept=Kept(1000, 2, Decimal("61.25")))
    assert found.lines[-1].explanation == (
        "99 % of calls took up to 61.25 ms, promised were 50 ms; 2 of 1000 calls failed, promised was that 99.9 % "
        "succeed: 10 % of 110.00 USD is given back"
    )


@pytest.mark.parametrize(
    ("table", "calls", "rate", "wanted"),
    [
        # 246.90 x 0.19 = 46.911
        ({"per_call": "0.02 USD"}, 12_345, "0.19", (24_690, 4691, 29_381)),
        # 3.50 x 0.06 = 0.21
        ({"per_call": "0.35 CNY"}, 10, "0.06", (350, 21, 371)),
        # 255 x 0.1 = 25.5, half up
        ({"per_call": "5 JPY"}, 51, "0.1", (255, 26, 281)),
        # 4.163 x 0.05 = 0.20815
        ({"per_call": "0.0125 KWD"}, 333, "0.05", (4163, 208, 4371)),
    ],
)
def test_tax_is_rounded_once_on_the_sum(
    table: dict[str, Any], calls: int, rate: str, wanted: tuple[int, int, int]
) -> None:
    found = invoice(table, a_cell("calls", calls), tax_rate=Decimal(rate))
    assert (found.subtotal.minor, found.tax.minor, found.total.minor) == wanted
    assert (found.tax_name, found.tax_rate) == ("VAT", Decimal(rate))


def test_credit_burns_by_priority_then_expiry_then_age() -> None:
    early, late = NOVEMBER.end, NOVEMBER.end + timedelta(days=30)
    purse = (
        a_grant("never", 1000),
        a_grant("late", 300, expires_at=late),
        a_grant("gone", 900, expires_at=early - timedelta(days=1)),
        a_grant("early", 200, expires_at=early),
        a_grant("first", 100, priority=1),
        a_grant("yen", 100, "JPY", priority=1),
    )
    # 10.00: 1.00 + 2.00 + 3.00 + 4.00 of the last
    found = invoice({"per_call": "0.01 USD"}, a_cell("calls", 1000), grants=purse)
    assert [(name, burnt.minor) for name, burnt in found.burns] == [
        ("first", 100),
        ("early", 200),
        ("late", 300),
        ("never", 400),
    ]
    assert (found.total.minor, found.credit.minor, found.due.minor) == (1000, 1000, 0)


def test_credit_that_does_not_reach_leaves_the_rest_due() -> None:
    found = invoice({"per_call": "0.01 KWD"}, a_cell("calls", 1000), grants=(a_grant("g", 4_001, "KWD"),))
    assert (found.total.minor, found.credit.minor, found.due.minor) == (10_000, 4001, 5999)


def test_the_steps_come_in_the_written_order() -> None:
    table = {**PROMISE, "charges": [{"price": "1 USD"}], "cap": "50 USD"}
    more = {"kept": Kept(1, 1, None), "tax_rate": Decimal("0.2"), "grants": (a_grant("g", 500),)}
    found = invoice(table, a_cell("calls", 80), **more)
    # 100 fee, 80 used, 30 above the cap, 10 % of 150 given back; tax 27.00; 5.00 paid by credit
    assert [line.kind for line in found.lines] == ["flat_monthly", "per_unit", "cap", "service_credit"]
    assert minors(found) == [10_000, 8000, -3000, -1500]
    assert (found.subtotal.minor, found.tax.minor, found.due.minor) == (13_500, 2700, 15_700)


def test_a_service_credit_is_no_share_of_what_a_minimum_adds() -> None:
    table = {**PROMISE, "minimum": "160 USD"}
    found = invoice(table, a_cell("calls", 1000), kept=Kept(1, 1, None))
    # 100 fee, 10 used, 50 missing; 10 % of 110
    assert [line.kind for line in found.lines] == ["flat_monthly", "per_unit", "minimum", "service_credit"]
    assert minors(found) == [10_000, 1000, 5000, -1100]


def test_a_month_without_fee_and_usage_is_no_invoice() -> None:
    assert Case(a_plan(per_call="0.02 USD")).invoice() is None


def test_a_trial_is_never_billed() -> None:
    assert Case(a_plan(free_calls=5, days=14), (a_cell("calls", 5),)).invoice() is None


def test_a_ledger_that_does_not_sum_to_zero_is_named() -> None:
    entries = postings(invoice({"per_call": "0.02 USD"}, a_cell("calls", 5)))
    with pytest.raises(Unbalanced, match=entries[0].transaction):
        check_balanced(entries[1:])


def test_an_invoice_is_frozen_with_what_it_was_made_of() -> None:
    case = Case(a_plan(per_call="0.02 USD"), (a_cell("calls", 5),))
    assert replace(case, grants=(a_grant("g", 1),)).invoice() != case.invoice() == case.invoice()


def test_until_now_ends_just_after_now_and_never_after_the_period() -> None:
    middle = datetime(2026, 11, 15, tzinfo=UTC)
    assert end_of(NOVEMBER, NOVEMBER.end, until_now=False) == NOVEMBER.end
    assert end_of(NOVEMBER, middle, until_now=True) == middle.replace(microsecond=1)
    assert end_of(NOVEMBER, datetime(2027, 1, 1, tzinfo=UTC), until_now=True) == NOVEMBER.end
    later = Period(datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC))
    assert end_of(later, later.start, until_now=True) == later.start.replace(microsecond=1)
    with pytest.raises(PeriodNotOver, match="nothing can be closed before it begins"):
        end_of(later, middle, until_now=True)
    with pytest.raises(PeriodNotOver, match="or ask for the invoice until now"):
        end_of(NOVEMBER, middle, until_now=False)


def test_a_span_of_time_is_said_as_days_and_hours() -> None:
    hour = 3_600_000_000
    assert [days_text(n) for n in (24 * hour, 36 * hour, 1)] == ["1 day", "1 day 12:00:00", "0 days 00:00:00.000001"]
