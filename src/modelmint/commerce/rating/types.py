"""What rating makes: invoice lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from modelmint.kit.money import Money, UnitPrice


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line that explains itself: ``quantity`` x ``unit_price`` in its tier, rounded once."""

    description: str
    meter: str | None
    quantity: Decimal | int
    unit_price: UnitPrice | None
    amount: Money
    #: In English; ``kind`` and ``data`` say the same for machines and other languages.
    explanation: str
    #: Name of the price model or billing step that made the line.
    kind: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
