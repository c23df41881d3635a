"""Money is an integer of minor units with a currency; a unit price is a ``Decimal``. Never a float.

Minor-unit exponents follow ISO 4217.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from modelmint.kit.errors import InvalidInput

#: ISO 4217 code -> number of decimals of its minor unit.
EXPONENTS: dict[str, int] = {
    "AUD": 2, "BRL": 2, "CAD": 2, "CHF": 2, "CNY": 2, "EUR": 2, "GBP": 2, "HKD": 2, "INR": 2, "JPY": 0,
    "KRW": 0, "KWD": 3, "MXN": 2, "NZD": 2, "SEK": 2, "SGD": 2, "TND": 3, "TWD": 2, "USD": 2, "VND": 0,
}  # fmt: skip
#: No amount reaches this many minor units: sums of thousands of them still fit the 63 bits of the books.
MOST_MINOR = 10**15
#: A price stays below this many major units, with at most this many decimals.
HIGHEST_PRICE, PRICE_DECIMALS = Decimal(10**12), 12
_AMOUNT = re.compile(r"\s*(-?[0-9][0-9_]*(?:\.([0-9]+))?)\s*([A-Z]{3})\s*")
_LONGEST = 80


class BadMoney(InvalidInput):
    """An amount that cannot be read or is too large for the books, or two currencies in one sum."""

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
        if not -MOST_MINOR < self.minor < MOST_MINOR:
            raise BadMoney(
                f"expected an amount below {_bound(self.currency)}, found one of {_digits(self.minor)} digits"
            )

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


def _bound(currency: str) -> str:
    return f"{Decimal(MOST_MINOR).scaleb(-exponent(currency)):,f} {currency}"


def _digits(minor: int) -> int:
    """About how many digits; a number that is too long is not even spelt."""
    return abs(minor).bit_length() * 30103 // 100000 + 1


def round_money(amount: Decimal, currency: str) -> Money:
    """``amount`` in major units to whole minor units, half away from zero; raises ``BadMoney`` beyond the books."""
    if not abs(amount) <= MOST_MINOR:
        raise BadMoney(f"expected an amount below {_bound(currency)}, found about {amount:.0e} {currency}")
    minor = amount.scaleb(exponent(currency)).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return Money(int(minor), currency)


def parse_price(text: str) -> UnitPrice:
    """``"0.02 USD"`` as a unit price; raises ``BadMoney`` otherwise."""
    amount, currency = _parsed(text)
    if not -HIGHEST_PRICE < amount < HIGHEST_PRICE:
        raise BadMoney(f"expected an amount below {HIGHEST_PRICE:,f} {currency}, found {text!r}")
    return UnitPrice(amount, currency)


def written_price(text: str) -> UnitPrice:
    """The price that ``str`` wrote, measured ones with however many decimals; raises ``BadMoney`` otherwise."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise BadMoney(f"expected a price as it was written, found {text[:_LONGEST]!r}")
    return UnitPrice(Decimal(match[1]), match[3])


def _parsed(text: str) -> tuple[Decimal, str]:
    match = _AMOUNT.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise BadMoney(f'expected an amount and a currency like "0.02 USD", found {text[:_LONGEST]!r}')
    if len(match[2] or "") > PRICE_DECIMALS:
        raise BadMoney(f"expected at most {PRICE_DECIMALS} decimals, found {text!r}")
    exponent(match[3])
    return Decimal(match[1].replace("_", "")), match[3]


def parse_money(text: str) -> Money:
    """``"49 USD"`` as exact money; raises ``BadMoney`` where it is finer than the minor unit or beyond the books."""
    amount, currency = _parsed(text)
    rounded = round_money(amount, currency)
    if rounded.amount != amount:
        raise BadMoney(f"{text!r} is finer than the smallest coin of {currency}")
    return rounded
