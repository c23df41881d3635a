"""Amounts as providers count them: whole smallest coins, with what they document as exceptions."""

from __future__ import annotations

from modelmint.commerce.payments.errors import AmountNotChargeable
from modelmint.kit.money import Money, exponent

#: Of currencies with three decimals card networks move multiples of ten of the smallest coin only.
THREE_DECIMAL_STEP = 10


def charged_minor(amount: Money) -> int:
    """``amount`` as a card provider takes it: 10.00 USD is 1000, 500 JPY is 500, 1.230 KWD is 1230.

    1.234 KWD cannot be charged. It is refused, not rounded: what is paid must be what the invoice says.
    """
    if exponent(amount.currency) == 3 and amount.minor % THREE_DECIMAL_STEP:
        step = Money(THREE_DECIMAL_STEP, amount.currency)
        raise AmountNotChargeable(
            f"cards are charged in steps of {step}; {amount} is between two. Take it another way and note it with "
            "'modelmint invoices pay', or price so that invoices come to whole steps"
        )
    return amount.minor
