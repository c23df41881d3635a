"""``[billing]``: who bills, when, with which tax, and who takes the money."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import StringConstraints, model_validator

from modelmint.venture.sections.base import Complaint, Percent, Section, refuse_if_any
from modelmint.venture.sections.charges import CALL_METERS, METER, METER_NAMES

_Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class BillingSection(Section):
    """Invoices and payments."""

    #: Who takes the money: "fake", "stripe", or a plugin's; "" where it is taken by hand.
    provider: str = ""
    #: "auto": the server closes billing periods when they have ended.
    close: Literal["manual", "auto"] = "manual"
    #: Meters of which the provider is told each customer's use, day by day; none unless named.
    report_usage: list[str] = []
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
        yield from self._reporting_complaints()
        if self.tax_rate and not self.tax_name:
            yield Complaint(("tax_rate",), 'say what the tax is called: tax_name = "VAT"', needs=(("tax_name",),))
        if self.tax_name and not self.tax_rate:
            yield Complaint(("tax_name",), 'a tax needs its rate: tax_rate = "19 %"', needs=(("tax_rate",),))

    def _reporting_complaints(self) -> Iterator[Complaint]:
        if self.report_usage and self.provider in ("", "fake"):
            message = 'name a provider that takes usage: provider = "stripe"'
            yield Complaint(("report_usage",), message, needs=(("provider",),))
        for index, meter in enumerate(self.report_usage):
            if not METER.fullmatch(meter):
                yield Complaint(("report_usage", index), f"{METER_NAMES}; found {meter[:80]!r}")
            elif meter in self.report_usage[:index]:
                yield Complaint(("report_usage", index), f"{meter!r} is named before")
            elif meter not in CALL_METERS and (close := get_close_matches(meter, CALL_METERS, 1, 0.8)):
                # A misspelt meter would be reported as never used.
                yield Complaint(("report_usage", index), f"{meter!r} looks like {close[0]!r}", close[0])
