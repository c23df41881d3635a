"""``[billing]``: who bills, when, with which tax, and who takes the money."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import StringConstraints, model_validator

from modelmint.venture.sections.base import Complaint, Percent, Section, refuse_if_any

_Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class BillingSection(Section):
    """Invoices and payments."""

    #: Who takes the money: "fake", "stripe", or a plugin's; "" where it is taken by hand.
    provider: str = ""
    #: "auto": the server closes billing periods when they have ended.
    close: Literal["manual", "auto"] = "manual"
    #: What new customers pay until something else is set for them, and what it is called.
    tax_rate: Percent = Decimal(0)
    tax_name: _Line = ""
    #: Who sells: stands on invoices.
    seller: _Line = ""
    #: Lines parted by line feeds.
    seller_address: Annotated[str, StringConstraints(max_length=500)] = ""
    seller_tax_id: _Line = ""

    @model_validator(mode="after")
    def _makes_sense(self) -> BillingSection:
        refuse_if_any(self._complaints())
        return self

    def _complaints(self) -> Iterator[Complaint]:
        if self.tax_rate and not self.tax_name:
            yield Complaint(("tax_rate",), 'say what the tax is called: tax_name = "VAT"', needs=(("tax_name",),))
        if self.tax_name and not self.tax_rate:
            yield Complaint(("tax_name",), 'a tax needs its rate: tax_rate = "19 %"', needs=(("tax_rate",),))
