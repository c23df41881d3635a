"""``[trial_page]``: a page on which visitors try a few calls without a key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from modelmint.venture.sections.base import Complaint, Section, refuse_if_any

_Line = Annotated[str, StringConstraints(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Text = Annotated[str, StringConstraints(max_length=2000)]


class TrialPageSection(Section):
    """Off unless it is switched on. What is not said is said by the page itself, in the reader's language."""

    enabled: bool = False
    #: Tries of one visitor; a day of one network address; a day of everybody.
    calls: int = Field(5, ge=1, le=1000)
    calls_per_address: int = Field(20, ge=1, le=100_000)
    calls_per_day: int = Field(200, ge=1, le=1_000_000)
    #: The model tried; needed where several are served.
    model: str = ""
    title: _Line = ""
    title_zh: _Line = ""
    text: _Text = ""
    text_zh: _Text = ""
    #: Days for which addresses and words that visitors leave are kept.
    keep_days: int = Field(180, ge=1, le=3650)

    @model_validator(mode="after")
    def _makes_sense(self) -> TrialPageSection:
        refuse_if_any(self._complaints())
        return self

    def _complaints(self) -> Iterator[Complaint]:
        if self.calls_per_address < self.calls:
            message = f"one visitor has {self.calls} tries, so an address needs as many: expected at least {self.calls}"
            yield Complaint(("calls_per_address",), message)
        if self.calls_per_day < self.calls_per_address:
            message = f"an address has {self.calls_per_address} tries a day, so all together need as many"
            yield Complaint(("calls_per_day",), message)
