"""Numbers as people read them. Every function takes a plain JSON value; None becomes a dash."""

from __future__ import annotations

from typing import Any

DASH = "-"


def count(number: int, noun: str, several: str = "") -> str:
    """``1 release``, ``2 releases``."""
    return f"{number:,} {noun if number == 1 else several or noun + 's'}"


def bare(value: Any) -> float | None:
    """The number itself, where it may come as an estimate object ``{value, low, high, n}``."""
    if isinstance(value, dict):
        value = value.get("value")
    return None if value is None else float(value)


def number(value: Any, digits: int = 3) -> str:
    """Fixed digits; dash for nothing."""
    found = bare(value)
    return DASH if found is None else f"{found:,.{digits}f}"


def short(value: Any, digits: int = 3) -> str:
    """So many significant digits, without an exponent."""
    found = bare(value)
    if found is None:
        return DASH
    if found == 0 or abs(found) >= 10**digits:
        return f"{found:,.0f}"
    text = f"{found:.{digits}g}"
    return f"{found:.8f}".rstrip("0").rstrip(".") if "e" in text else text


def size(value: Any) -> str:
    """Bytes as kB or MB (powers of ten)."""
    found = bare(value)
    if found is None:
        return DASH
    if found >= 1_000_000:
        return f"{found / 1e6:.2f} MB"
    return f"{found / 1e3:.1f} kB" if found >= 1000 else f"{found:.0f} B"


def seconds(value: Any) -> str:
    """``3.2 s`` or ``2 min 05 s``."""
    found = bare(value)
    if found is None:
        return DASH
    if found < 90:
        return f"{found:.1f} s"
    return f"{int(found // 60)} min {int(found % 60):02d} s"


def interval(value: Any, digits: int = 3) -> str:
    """``0.964 [0.951, 0.975]`` of an estimate object."""
    if not isinstance(value, dict) or value.get("value") is None:
        return number(value, digits)
    middle = f"{value['value']:.{digits}f}"
    if value.get("low") is None or value.get("high") is None:
        return middle
    return f"{middle} [{value['low']:.{digits}f}, {value['high']:.{digits}f}]"


def amount(value: Any, currency: str | None, digits: int) -> str:
    """An amount of money that was estimated, not billed: rounded for reading. Text passes as it is."""
    if isinstance(value, str) and not _is_number(value):
        return value
    found = bare(value)
    if found is None:
        return DASH
    return f"{found:,.{digits}f}" + (f" {currency}" if currency else "")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
