"""``[serving]``: limits of the running service."""

from __future__ import annotations

from pydantic import Field

from modelmint.venture.sections.base import Section


class ServingSection(Section):
    """Sizes and queues; every limit is answered with its own status code."""

    max_body_mib: float = Field(10.0, gt=0, le=1024)
    max_items: int = Field(64, ge=1, le=4096)
    max_batch: int = Field(32, ge=1, le=1024)
    #: Calls that may wait for the engine before 503 is answered.
    max_queue: int = Field(256, ge=1)
