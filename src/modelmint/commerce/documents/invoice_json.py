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
    """Plain JSON types, for reading. ``from_json`` of it is the invoice again."""
    found: dict[str, Any] = plain(invoice)
    for name in ("subtotal", "tax", "total", "credit", "due"):
        found[name] = money_json(getattr(invoice, name))
    for line, source in zip(found["lines"], invoice.lines, strict=True):
        line["amount"] = money_json(source.amount)
        line["unit_price"] = None if source.unit_price is None else price_json(source.unit_price)
    found["burns"] = [{"grant": grant, "amount": money_json(amount)} for grant, amount in invoice.burns]
    return found


def body(invoice: Invoice) -> dict[str, Any]:
    """What is frozen: everything but the name, which is kept apart so that a person can be forgotten."""
    found = to_json(invoice)
    del found["customer_name"]
    return found


def money_json(money: Money) -> dict[str, Any]:
    """``{"amount": "4.00", "minor": 400, "currency": "USD"}``."""
    return {"amount": str(money).split()[0], "minor": money.minor, "currency": money.currency}


def price_json(price: UnitPrice) -> dict[str, Any]:
    """``{"amount": "0.0004", "currency": "USD"}``."""
    return {"amount": format(price.amount, "f"), "currency": price.currency}


def canonical(invoice: Invoice) -> bytes:
    """The one byte string of an invoice's body: what is stored, digested and compared."""
    return canonical_json(body(invoice))


def from_json(found: Mapping[str, Any], customer_name: str | None = None) -> Invoice:
    """The invoice that ``to_json`` wrote, or whose ``body`` was stored; bodies of the first release are read too."""
    currency = found["currency"]
    total = _money(found["total"])
    return Invoice(
        id=found["id"],
        number=found["number"],
        customer=found["customer"],
        customer_name=found.get("customer_name", "") if customer_name is None else customer_name,
        period=Period(_moment(found["period"]["start"]), _moment(found["period"]["end"])),
        currency=currency,
        lines=tuple(_line(line) for line in found["lines"]),
        subtotal=_money(found["subtotal"]) if "subtotal" in found else total,
        tax=_money(found["tax"]) if "tax" in found else Money(0, currency),
        total=total,
        burns=tuple((burn["grant"], _money(burn["amount"])) for burn in found.get("burns", ())),
        credit=_money(found["credit"]) if "credit" in found else Money(0, currency),
        due=_money(found["due"]) if "due" in found else total,
        tax_rate=Decimal(found.get("tax_rate", "0")),
        subscription=found.get("subscription", ""),
        plan=found["plan"],
        plan_version=found["plan_version"],
        notice=found["notice"],
        finalised_at=_moment(found["finalised_at"]),
        kind=found.get("kind", "invoice"),
        corrects=found.get("corrects"),
        reason=found.get("reason", ""),
        releases=tuple(found.get("releases", ())),
        tax_name=found.get("tax_name", ""),
    )


def _line(found: Mapping[str, Any]) -> InvoiceLine:
    price, quantity = found["unit_price"], found["quantity"]
    return InvoiceLine(
        description=found["description"],
        meter=found["meter"],
        quantity=Decimal(quantity) if isinstance(quantity, str) else quantity,
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
