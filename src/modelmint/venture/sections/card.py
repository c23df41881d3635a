"""``[card]``: what only the founder can say of the model; the model card, the report and the console show it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from modelmint.venture.sections.base import Section

_LONGEST = 1000


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Sentence = Annotated[str, Field(min_length=1, max_length=_LONGEST)]
Sentences = Annotated[tuple[Sentence, ...], BeforeValidator(_listed), Field(max_length=50)]


class CardSection(Section):
    """Who it is for, who it was tested on, what it must not be used for. Nothing is invented where this is left out."""

    #: Who is meant to use it.
    users: str = Field("", max_length=_LONGEST)
    #: Whom or what the test pictures show: age, sex, sites, devices, years.
    tested_on: str = Field("", max_length=_LONGEST)
    #: Known limits, a sentence each.
    limits: Sentences = ()
    #: Uses that it was not made for, a sentence each.
    out_of_scope: Sentences = ()
    #: Where questions go.
    contact: str = Field("", max_length=200)
