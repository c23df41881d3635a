"""An invoice as JSON: amounts as decimal text with their currency, beside the exact minor units."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.kit.canonical import canonical_json, plain
from modelmint.kit.money import Money, UnitPrice
from modelmint.kit.period import Period


def to_json(invoice: Invoice) -> dict[str, Any]:
    """Plain JSON types. ``from_json`` of it is the invoice again."""
    found: dict[str, Any] = plain(invoice)
    for name in ("subtotal", "tax", "total", "credit", "due"):
        found[name] = money_json(getattr(invoice, name))
    for line, source in zip(found["lines"], invoice.lines, strict=True):
        line["amount"] = money_json(source.amount)
        line["unit_price"] = None if source.unit_price is None else price_json(source.unit_price)
    return found


def money_json(money: Money) -> dict[str, Any]:
    """``{"amount": "4.00", "minor": 400, "currency": "USD"}``."""
    return {"amount": str(money).split()[0], "minor": money.minor, "currency": money.currency}


def price_json(price: UnitPrice) -> dict[str, Any]:
    """``{"amount": "0.0004", "currency": "USD"}``."""
    return {"amount": format(price.amount, "f"), "currency": price.currency}


def canonical(invoice: Invoice) -> bytes:
    """The invoice's one byte string: what is stored, digested and compared."""
    return canonical_json(to_json(invoice))


def from_json(found: Mapping[str, Any]) -> Invoice:
    """The invoice that ``to_json`` wrote."""
    return Invoice(
        id=found["id"],
        number=found["number"],
        customer=found["customer"],
        customer_name=found["customer_name"],
        period=Period(_moment(found["period"]["start"]), _moment(found["period"]["end"])),
        currency=found["currency"],
        lines=tuple(_line(line) for line in found["lines"]),
        subtotal=_money(found.get("subtotal") or found["total"]),
        tax=_money(found["tax"]) if "tax" in found else Money(0, found["currency"]),
        total=_money(found["total"]),
        burns=(),
        credit=Money(0, found["currency"]),
        due=_money(found.get("due") or found["total"]),
        tax_rate=Decimal(found.get("tax_rate", "0")),
        subscription=found.get("subscription", ""),
        plan=found["plan"],
        plan_version=found["plan_version"],
        notice=found["notice"],
        finalised_at=_moment(found["finalised_at"]),
    )


def _line(found: Mapping[str, Any]) -> InvoiceLine:
    price = found["unit_price"]
    return InvoiceLine(
        description=found["description"],
        meter=found["meter"],
        quantity=found["quantity"],
        unit_price=None if price is None else UnitPrice(Decimal(price["amount"]), price["currency"]),
        amount=_money(found["amount"]),
        explanation=found["explanation"],
        kind=found["kind"],
        data=found["data"],
    )


def _money(found: Mapping[str, Any]) -> Money:
    return Money(found["minor"], found["currency"])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
