"""The nouns of this package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Solution:
    """A ready venture for one trade."""

    #: Folder in this package that holds ``venture.toml`` and ``README.md``.
    folder: str
    #: One line for ``modelmint new --help``, English and Chinese.
    title: str
    title_zh: str
    #: Question -> answer taken where none is given; the answers stand as ``${question}`` in the template.
    answers: Mapping[str, str]
