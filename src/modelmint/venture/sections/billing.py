"""``[billing]``: how what is owed is asked for."""

from __future__ import annotations

from modelmint.venture.sections.base import Section


class BillingSection(Section):
    """Invoices and payments."""

    #: Who takes the money: "fake", "stripe", or a plugin's; "" where it is taken by hand.
    provider: str = ""
