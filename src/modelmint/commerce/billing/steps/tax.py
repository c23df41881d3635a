"""Tax at the customer's rate on the sum of the lines, rounded once."""

from __future__ import annotations

from dataclasses import replace

from modelmint.commerce.billing.work import Work
from modelmint.kit.money import round_money


def step(work: Work) -> Work:
    """Half away from zero, as every rounding."""
    return replace(work, tax=round_money(work.subtotal.amount * work.inputs.tax_rate, work.currency))
