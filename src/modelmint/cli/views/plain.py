"""Nouns of commerce as plain JSON that says money both exactly and readably."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from modelmint.kit.canonical import plain
from modelmint.kit.money import Money, UnitPrice


def as_json(value: Any) -> Any:
    """Like ``kit.canonical.plain``; money becomes ``{minor, currency, text}``, a unit price ``"0.02 USD"``."""
    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency, "text": str(value)}
    if isinstance(value, UnitPrice):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    return plain(value)
