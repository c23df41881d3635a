"""How numbers, money and times are written on pages: the same in both languages, readable aloud in either."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from modelmint.kit.money import Money, UnitPrice


def money(value: Money | None) -> str:
    """``1,234.50 USD``."""
    if value is None:
        return "–"
    amount, currency = str(value).split()
    return f"{number(Decimal(amount))} {currency}"


def price(value: UnitPrice | None) -> str:
    """``0.0004 USD``."""
    return "" if value is None else str(value)


def number(value: Decimal | int) -> str:
    """``12,345.5``; a true minus sign, which screen readers read and columns align."""
    text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,d}"
    return text.replace("-", "−")


def quantity(value: Decimal | int | str) -> str:
    """Like ``number``, without zeros that say nothing: ``12.5`` for 12.500000."""
    exact = Decimal(value)
    return number(exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact.normalize())


def percent(value: Decimal) -> str:
    """``2.5 %`` for 0.025."""
    return f"{(value * 100).normalize():f} %"


def day(value: datetime | None) -> str:
    """``2026-11-22``."""
    return "–" if value is None else f"{value.astimezone(UTC):%Y-%m-%d}"


def moment(value: datetime | None) -> str:
    """``2026-11-22 13:05 UTC``, which no line break tears apart."""
    return "–" if value is None else f"{value.astimezone(UTC):%Y-%m-%d\u00a0%H:%M}\u00a0UTC"


def short(value: str) -> str:
    """The first characters of a digest or the last of an id: enough to recognise it by."""
    head, _, tail = value.rpartition("_")
    return f"{head}_…{tail[-6:]}" if head and len(tail) > 8 else value[:12]


FILTERS: dict[str, Any] = {
    "money": money,
    "price": price,
    "number": number,
    "quantity": quantity,
    "percent": percent,
    "day": day,
    "moment": moment,
    "short": short,
}
