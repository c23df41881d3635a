"""How values are shown on pages."""

from __future__ import annotations

import pytest

from modelmint.console.shapes import decimals


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (-0.04, 1, "0.0"),
        (0.04, 1, "0.0"),
        (-0.06, 1, "−0.1"),
        (-1234.5, 1, "−1,234.5"),
        (96.97, 0, "97"),
        (0.5, 3, "0.500"),
    ],
)
def test_what_rounds_to_nothing_has_no_sign_and_what_is_below_it_a_real_minus(
    value: float, digits: int, shown: str
) -> None:
    assert decimals(value, digits) == shown
