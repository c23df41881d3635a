"""What the pages say, by key, one folder per language; and which language a reader gets.

A page is written by meaning in each language; nothing is translated word by word. Tests hold the languages
to the same keys and the templates to no text of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

from modelmint.console.words.en import WORDS as _EN
from modelmint.console.words.told import told
from modelmint.console.words.zh import WORDS as _ZH

WORDS: Mapping[str, Mapping[str, str]] = {"en": _EN, "zh": _ZH}
#: Each language as its own readers write it.
NAMES = {"en": "English", "zh": "中文"}
#: What stands in a page where a word is missing, so that no test overlooks it.
MISSING = "⟦{}⟧"


class Words:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words = WORDS[language]

    def __call__(self, key: str, **values: object) -> str:
        """The words for ``key``, with ``values`` filled in."""
        text = self._words.get(key)
        return MISSING.format(key) if text is None else text.format(**values) if values else text

    def told(self, text: str) -> str:
        """What the books say in English, in this language where its form is known."""
        return told(text, self.language)

    def either(self, key: str, otherwise: str) -> str:
        """The words for ``key``, else ``otherwise``: for names that others may add to."""
        return self._words.get(key, otherwise)


def choose(*wanted: str | None, accepted: str = "") -> str:
    """The first of ``wanted`` that there is, else by ``Accept-Language``, else English."""
    for language in wanted:
        if language is not None and language in WORDS:
            return language
    ranked = []
    for position, part in enumerate(accepted[:1000].split(",")):
        name, _, quality = part.strip().partition(";")
        share = quality.strip().removeprefix("q=") if quality else "1"
        try:
            ranked.append((-float(share), position, name.split("-")[0].lower()))
        except ValueError:
            continue
    return next((name for share, _, name in sorted(ranked) if name in WORDS and share < 0), "en")
