"""``[webhooks]``: where customers' webhooks may stand, and how long messages are kept."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field, model_validator

from modelmint.venture.sections.base import Complaint, Section, refuse_if_any


class WebhooksSection(Section):
    """What the server may be made to call."""

    #: Lets customers' webhooks stand in private networks and speak http; for shops inside one house.
    private_addresses: bool = False
    #: Days for which a message is kept after it was delivered, and after it was given up.
    keep_days: int = Field(30, ge=1, le=3650)
    keep_failed_days: int = Field(90, ge=1, le=3650)

    @model_validator(mode="after")
    def _makes_sense(self) -> WebhooksSection:
        refuse_if_any(self._complaints())
        return self

    def _complaints(self) -> Iterator[Complaint]:
        if self.keep_failed_days < self.keep_days:
            message = f"what was given up is kept at least as long as what was delivered: {self.keep_days} days"
            yield Complaint(("keep_failed_days",), message)
