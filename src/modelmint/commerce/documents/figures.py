"""Numbers, amounts and times as a document shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from modelmint.kit.money import Money, UnitPrice


def quantity(value: Decimal | int) -> str:
    """``1,234,567`` or ``0.5``."""
    return f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"


def money(value: Money) -> str:
    """``1,234.50 USD``, with the decimals that the currency has."""
    return f"{value.amount:,f} {value.currency}"


def price(value: UnitPrice | None) -> str:
    """``0.0004 USD``; "" where there is none."""
    return "" if value is None else f"{value.amount:,f} {value.currency}"


def percent(rate: Decimal) -> str:
    """``19`` for 0.19."""
    text = f"{rate * 100:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def day(moment: datetime) -> str:
    """UTC, to the second; midnight is the date alone."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}".removesuffix(" 00:00:00")
