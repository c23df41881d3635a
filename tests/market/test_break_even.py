from __future__ import annotations

from decimal import Decimal

import pytest

from modelmint.market.break_even import BreakEven, break_even


def test_the_first_crossing_is_found_to_the_call() -> None:
    assert break_even(lambda calls: Decimal(calls) - 12_345, 10**9) == BreakEven(12_345, None)


def test_a_value_that_is_never_a_loss_breaks_even_at_the_first_call() -> None:
    assert break_even(lambda calls: Decimal(calls), 10**9) == BreakEven(1, None)


@pytest.mark.parametrize("value", [Decimal(-1), None])
def test_a_value_that_is_always_a_loss_or_unknown_never_breaks_even(value: Decimal | None) -> None:
    assert break_even(lambda calls: value, 10**9) is None


def test_where_it_is_a_loss_again_is_told() -> None:
    assert break_even(lambda calls: Decimal(1 if 500 <= calls <= 90_000 else -1), 10**9) == BreakEven(500, 90_001)


def test_the_value_is_asked_for_a_few_hundred_times_at_most() -> None:
    asked: list[int] = []

    def value(calls: int) -> Decimal:
        asked.append(calls)
        return Decimal(-1)

    break_even(value, 10**9)
    assert len(asked) < 80 and min(asked) == 1 and max(asked) == 10**9
