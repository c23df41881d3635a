"""Money counts whole coins; periods are half-open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmint.kit.money import (
    EXPONENTS,
    BadMoney,
    Money,
    UnitPrice,
    parse_money,
    parse_price,
    round_money,
    written_price,
)
from modelmint.kit.period import BadPeriod, Period, month_of, parse_moment, parse_month

currencies = st.sampled_from(sorted(EXPONENTS))


def test_a_price_may_be_finer_than_a_coin_and_rounds_once_at_the_end() -> None:
    price = parse_price("0.0004 USD")
    assert price == UnitPrice(Decimal("0.0004"), "USD")
    assert price.times(1) == Money(0, "USD")
    assert price.times(10_000) == Money(400, "USD")


def test_half_a_coin_rounds_away_from_zero() -> None:
    assert round_money(Decimal("0.125"), "USD") == Money(13, "USD")
    assert round_money(Decimal("-0.125"), "USD") == Money(-13, "USD")
    assert round_money(Decimal("2.5"), "JPY") == Money(3, "JPY")
    assert round_money(Decimal("0.0015"), "KWD") == Money(2, "KWD")


@pytest.mark.parametrize(
    "text", ["", "0.02", "USD 0.02", "0,02 USD", "1e3 USD", "0.02 usd", "0.02 XXX", "NaN USD", "$1"]
)
def test_what_is_not_an_amount_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadMoney) as caught:
        parse_price(text)
    assert "0.02 USD" in str(caught.value) or "unknown currency" in str(caught.value)


def test_money_finer_than_the_smallest_coin_is_refused() -> None:
    assert parse_money("49 USD") == Money(4900, "USD")
    assert parse_money("49 JPY") == Money(49, "JPY")
    assert parse_money("1.234 KWD") == Money(1234, "KWD")
    with pytest.raises(BadMoney):
        parse_money("49.001 USD")


def test_two_currencies_never_mix() -> None:
    with pytest.raises(BadMoney, match="mix"):
        Money(1, "USD") + Money(1, "EUR")


@given(st.integers(1 - 10**15, 10**15 - 1), currencies)
def test_money_survives_writing_and_reading(minor: int, currency: str) -> None:
    assert parse_money(str(Money(minor, currency))) == Money(minor, currency)


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), currencies)
def test_adding_then_subtracting_changes_nothing(a: int, b: int, currency: str) -> None:
    assert Money(a, currency) + Money(b, currency) - Money(b, currency) == Money(a, currency)


def test_a_month_holds_its_first_moment_and_not_the_next_months() -> None:
    month = parse_month("2026-12")
    assert month == Period(datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert month.start in month
    assert month.end not in month
    assert month.end - timedelta(microseconds=1) in month


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_every_moment_lies_in_its_own_month(moment: datetime) -> None:
    assert moment in month_of(moment)


def test_a_period_that_ends_before_it_starts_or_has_no_zone_is_refused() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(BadPeriod):
        Period(now, now)
    with pytest.raises(BadPeriod):
        Period(datetime(2026, 1, 1), datetime(2026, 2, 1))
    with pytest.raises(BadPeriod):
        parse_month("november")


@pytest.mark.parametrize(
    "text",
    [
        "10000000000000 USD",
        "9" * 30 + " USD",
        "0." + "0" * 12 + "1 USD",
        "1000000000000000 JPY",
        "٤٩ USD",
        "1" * 5000 + " USD",
    ],
)
def test_an_amount_beyond_the_books_is_refused(text: str) -> None:
    with pytest.raises(BadMoney):
        parse_money(text)


def test_the_largest_amounts_and_the_finest_price_are_read() -> None:
    assert parse_money("-999999999999.99 USD").minor == -99_999_999_999_999
    assert parse_price("999999999999.000000000001 USD").amount == Decimal("999999999999.000000000001")


@pytest.mark.parametrize("minor", [10**15, -(10**15), 2**63, 10**300])
def test_money_never_grows_beyond_the_books(minor: int) -> None:
    with pytest.raises(BadMoney):
        Money(minor, "USD")
    with pytest.raises(BadMoney):
        Money(10**15 - 1, "USD") + Money(1, "USD")
    with pytest.raises(BadMoney):
        UnitPrice(Decimal(minor), "USD").times(1000)


@given(
    st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)),
    st.timedeltas(-timedelta(hours=23), timedelta(hours=23)),
)
def test_a_moment_is_read_in_utc_or_refused(naive: datetime, offset: timedelta) -> None:
    text = naive.replace(tzinfo=timezone(timedelta(seconds=offset // timedelta(seconds=60) * 60))).isoformat()
    try:
        found = parse_moment(text)
    except BadPeriod:
        assert not 1971 <= naive.year <= 9997
    else:
        assert found.tzinfo is UTC and 1970 <= found.year <= 9998


@given(st.decimals(0, 10**6, allow_nan=False, allow_infinity=False, places=25), currencies)
def test_a_measured_price_is_read_as_it_was_written(amount: Decimal, currency: str) -> None:
    price = UnitPrice(amount, currency)
    assert written_price(str(price)) == price
