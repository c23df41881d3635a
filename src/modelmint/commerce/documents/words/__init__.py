"""What a document says, by language: one file each, the same keys (a test compares)."""

from collections.abc import Mapping

from modelmint.commerce.documents.words.en import EN
from modelmint.commerce.documents.words.zh import ZH
from modelmint.commerce.errors import UnknownLanguage

WORDS: dict[str, Mapping[str, str]] = {"en": EN, "zh": ZH}
LANGUAGES = tuple(WORDS)


def words_of(language: str) -> Mapping[str, str]:
    """Raises ``UnknownLanguage``."""
    if language not in WORDS:
        raise UnknownLanguage(f"expected one of {', '.join(LANGUAGES)}, found {language[:40]!r}")
    return WORDS[language]
