"""How numbers are written: the same in both languages, each with its exact value for machines beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from markupsafe import Markup

from modelmint.kit.estimate import Estimate

#: A true minus sign, which screen readers read and columns align.
_MINUS = "−"


def score(value: float) -> str:
    """Four decimals: ``0.9963``."""
    return f"{value:.4f}".replace("-", _MINUS)


def figure(value: float | Decimal) -> str:
    """Four significant digits, never as a power of ten: ``0.3166``, ``632.8``, ``12,345``, ``0.00003512``."""
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if exact == 0:
        return "0"
    digits = max(0, 3 - exact.adjusted())
    return f"{round(exact, digits):,f}".replace("-", _MINUS)


def money(value: Decimal) -> str:
    """All decimals that it has: ``1,234.50``."""
    return f"{value:,f}".replace("-", _MINUS)


def count(value: int) -> str:
    """``297,054``."""
    return f"{value:,}"


def share(value: float | Decimal) -> str:
    """``12.3 %``."""
    return f"{float(value):.1%}".replace("%", "\u00a0%").replace("-", _MINUS)


def priced(name: str, value: Decimal, currency: str) -> str:
    """A figure of a cost statement with its unit: a share, a rate, a fine or a whole amount of money."""
    if name == "gross_margin":
        return share(value)
    if name.endswith("per_second"):
        return figure(value)
    return f"{figure(value) if 'per_1k' in name else money(value)} {currency}".rstrip()


def moment(text: str) -> str:
    """ISO 8601 as ``2026-11-27 20:50 UTC``, which no line break tears apart."""
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return text
    return f"{at:%Y-%m-%d\u00a0%H:%M}\u00a0UTC"


def interval(value: Estimate, write: Callable[[float], str] = score) -> str:
    """``0.9792 to 0.9993`` as ``[0.9792, 0.9993]``."""
    return f"[{write(value.low)}, {write(value.high)}]"


def data(value: float | Decimal | int, write: Callable[..., str]) -> Markup:
    """The written value in an element that carries the exact one, so that a reader's tool need not round-trip text."""
    return Markup('<data value="{}">{}</data>').format(value, write(value))
