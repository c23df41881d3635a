"""Chinese."""

from __future__ import annotations

from modelmint.releases.dossier.words.zh.card import WORDS as _CARD
from modelmint.releases.dossier.words.zh.measured import WORDS as _MEASURED
from modelmint.releases.dossier.words.zh.sections import WORDS as _SECTIONS

WORDS: dict[str, str] = _SECTIONS | _CARD | _MEASURED
