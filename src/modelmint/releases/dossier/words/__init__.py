"""What the dossier says, by key, one folder per language: console page, report, PDF and card read the same words.

Written by meaning in each language. Tests hold the languages to the same keys and values.
"""

from __future__ import annotations

from collections.abc import Mapping

from modelmint.evaluation.errors import UnknownReportLanguage
from modelmint.releases.dossier.words.en import WORDS as _EN
from modelmint.releases.dossier.words.told import told
from modelmint.releases.dossier.words.zh import WORDS as _ZH

WORDS: Mapping[str, Mapping[str, str]] = {"en": _EN, "zh": _ZH}
LANGUAGES = tuple(WORDS)
#: How a page names its language.
HTML_LANGUAGES: Mapping[str, str] = {"en": "en", "zh": "zh-Hans"}


class Say:
    """The words of one language; raises ``UnknownReportLanguage``."""

    def __init__(self, language: str) -> None:
        if language not in WORDS:
            raise UnknownReportLanguage(f"expected a language of {', '.join(LANGUAGES)}; found {language[:40]!r}")
        self.language = language
        self._words = WORDS[language]

    def __call__(self, key: str, /, **values: object) -> str:
        """The words for ``key`` with ``values`` filled in; raises ``KeyError`` where there are none."""
        return self._words[key].format(**values) if values else self._words[key]

    def either(self, key: str, otherwise: str) -> str:
        """The words for ``key``, else ``otherwise``: for names that plugins and later versions may add to."""
        return self._words.get(key, otherwise)

    def licensed(self, what: str) -> str:
        """What a licence is of: the manifest's name for it (data, code, weights of NAME)."""
        model = what.removeprefix("weights of ")
        return self.either(f"lineage.{what}", what) if model == what else self("lineage.weights_of", model=model)

    def told(self, text: str) -> str:
        """A sentence that a build wrote in English, in this language where its form is known."""
        return told(text) if self.language == "zh" else text
