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


def decimal(value: str | float | Decimal) -> Decimal:
    """A figure of a statement, exact."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def significant(value: str | float | Decimal, digits: int = 4) -> str:
    """``632.8`` for 632.82, ``0.003045``: so many digits, none made up."""
    exact = decimal(value)
    return quantity(exact if not exact else round(exact, digits - 1 - exact.adjusted()))


def share(value: float | Decimal) -> str:
    """``81.2 %`` for 0.811871935."""
    return f"{significant(decimal(value) * 100, 3)} %"


def tick(value: Decimal, language: str) -> str:
    """A round count on an axis, as short as each language writes it: ``200k``, ``20万``."""
    units = {"zh": ((10**8, "亿"), (10**4, "万")), "en": ((10**9, "B"), (10**6, "M"), (10**3, "k"))}[language]
    size, unit = next(((size, unit) for size, unit in units if value >= size), (1, ""))
    return f"{quantity(value / size)}{unit}"


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


def decimals(value: float, digits: int = 2) -> str:
    """``97.3``: a measured number with so many digits behind the point; what rounds to nothing has no sign."""
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")


def milliseconds(value: float) -> str:
    """``1.06 ms``."""
    return f"{decimals(value)} ms"


FILTERS: dict[str, Any] = {
    "milliseconds": milliseconds,
    "decimals": decimals,
    "money": money,
    "price": price,
    "number": number,
    "quantity": quantity,
    "percent": percent,
    "decimal": decimal,
    "significant": significant,
    "share": share,
    "tick": tick,
    "day": day,
    "moment": moment,
    "short": short,
}
