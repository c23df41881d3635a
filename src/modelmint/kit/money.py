"""Money is an integer of minor units with a currency; a unit price is a ``Decimal``. Never a float.

Minor-unit exponents follow ISO 4217.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from modelmint.kit.errors import InvalidInput

#: ISO 4217 code -> number of decimals of its minor unit.
EXPONENTS: dict[str, int] = {
    "AUD": 2, "BRL": 2, "CAD": 2, "CHF": 2, "CNY": 2, "EUR": 2, "GBP": 2, "HKD": 2, "INR": 2, "JPY": 0,
    "KRW": 0, "KWD": 3, "MXN": 2, "NZD": 2, "SEK": 2, "SGD": 2, "TND": 3, "TWD": 2, "USD": 2, "VND": 0,
}  # fmt: skip
_AMOUNT = re.compile(r"^\s*(-?\d[\d_]*(?:\.\d+)?)\s*([A-Z]{3})\s*$")


class BadMoney(InvalidInput):
    """An amount that cannot be read, or two currencies in one sum."""

    code = "bad_money"


def exponent(currency: str) -> int:
    """Decimals of the currency's minor unit; raises ``BadMoney`` for one we do not know."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise BadMoney(f"unknown currency {currency!r}; known: {', '.join(sorted(EXPONENTS))}") from None


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: ``Money(250, "USD")`` is 2.50 USD."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)
        if not isinstance(self.minor, int) or isinstance(self.minor, bool):
            raise BadMoney(f"money counts whole minor units; found {self.minor!r}")

    @property
    def amount(self) -> Decimal:
        """In major units, exact."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise BadMoney(f"cannot mix currencies: {self.currency} and {other.currency}")
        return other.minor

    def __str__(self) -> str:
        return f"{self.amount:.{exponent(self.currency)}f} {self.currency}"


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """A price per unit in major units; may be finer than the minor unit (``0.0004 USD`` a call)."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)

    def times(self, quantity: int | Decimal) -> Money:
        """``quantity`` units, rounded half up to the minor unit, once, at the end."""
        return round_money(self.amount * Decimal(quantity), self.currency)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


def round_money(amount: Decimal, currency: str) -> Money:
    """``amount`` in major units to whole minor units, half away from zero."""
    minor = amount.scaleb(exponent(currency)).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return Money(int(minor), currency)


def parse_price(text: str) -> UnitPrice:
    """``"0.02 USD"`` as a unit price; raises ``BadMoney`` otherwise."""
    match = _AMOUNT.match(text)
    if match is None:
        raise BadMoney(f'expected an amount and a currency like "0.02 USD", found {text!r}')
    try:
        amount = Decimal(match[1].replace("_", ""))
    except InvalidOperation as error:
        raise BadMoney(f"expected a decimal number, found {match[1]!r}") from error
    return UnitPrice(amount, match[2])


def parse_money(text: str) -> Money:
    """``"49 USD"`` as exact money; raises ``BadMoney`` where it is finer than the minor unit."""
    price = parse_price(text)
    minor = price.amount.scaleb(exponent(price.currency))
    if minor != minor.to_integral_value():
        raise BadMoney(f"{text!r} is finer than the smallest coin of {price.currency}")
    return Money(int(minor), price.currency)
