"""What every usage model is given, and how a quantity becomes an explained line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.types import Charge
from modelmint.kit.money import Money, UnitPrice


@dataclass(frozen=True, slots=True)
class Usage:
    """``new`` units of a meter in ``month``, after ``before`` units that earlier invoices hold."""

    title: str
    month: datetime
    before: int
    new: int
    #: True where ``month`` was closed before these units were known.
    late: bool


UsageModel = Callable[[Charge, Usage], list[InvoiceLine]]


def priced(price: UnitPrice, before: int, new: int) -> tuple[Money, bool]:
    """The price of ``new`` units after ``before`` units, and whether it was rounded.

    The running total is rounded, not the part: price(before + new) - price(before). So the parts of a month
    sum to the month whatever the cuts (a telescoping sum), and no minor unit is lost or made.
    """
    amount = price.times(before + new) - price.times(before)
    return amount, amount.amount != price.amount * Decimal(new)


def line(
    charge: Charge, usage: Usage, kind: str, price: UnitPrice, span: tuple[int, int | None], part: tuple[int, int]
) -> InvoiceLine:
    """The line for ``part`` = (before, new) units at one ``price``; ``span`` = first and last unit of its tier."""
    before, new = part
    first, last = span
    amount, rounded = priced(price, before, new)
    month = f"{usage.month:%Y-%m}"
    where = "" if (first, last) == (1, None) else f" {first} to {last}" if last is not None else f" {first} and up"
    exact = f"{price.amount * new:f} {price.currency}" if rounded else str(amount)
    notes = [f"{charge.meter}{where} of {month}: {new} x {price} = {exact}"]
    if rounded:
        notes.append(f"{amount} after rounding the month's running total of {before + new}")
    if before:
        notes.append(f"{before} are on earlier invoices")
    if usage.late:
        notes.append(f"counted after {month} was closed")
    return InvoiceLine(
        description=f"{usage.title}: {charge.meter}{where}",
        meter=charge.meter,
        quantity=new,
        unit_price=price,
        amount=amount,
        explanation="; ".join(notes),
        kind=kind,
        data={
            "month": month,
            "first": first,
            "last": last,
            "before": before,
            "exact": exact,
            "rounded": rounded,
            "late": usage.late,
        },
    )
