"""``[venture]``: what it is called and what it is for."""

from __future__ import annotations

from pydantic import Field

from modelmint.venture.sections.base import Section


class VentureSection(Section):
    """Name (also the public model name of a one-model venture), trade, purpose and notice of use."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    solution: str = "image-screening"
    purpose: str = ""
    #: Shown in every answer, page and invoice.
    use: str = ""
