"""``[privacy]``: whether what customers send is kept, and for how long."""

from __future__ import annotations

from pydantic import Field

from modelmint.venture.sections.base import Section


class PrivacySection(Section):
    """Nothing that customers send is stored unless the venture says so here, and the customer agreed to it."""

    store_inputs: bool = False
    #: Days for which an input is kept.
    keep_days: int = Field(30, ge=1, le=3650)
    #: Share of calls whose inputs are kept.
    share: float = Field(1.0, gt=0, le=1)
    #: Mebibytes of all stored inputs together; what does not fit is not stored.
    max_mib: float = Field(1024.0, gt=0, le=10_000_000)
