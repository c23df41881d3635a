"""An invoice as one HTML page that needs nothing from elsewhere and prints on A4; everything in it is escaped."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from modelmint.commerce.documents.sheet import sheet
from modelmint.commerce.documents.types import Paper

_HTML_LANGUAGES = {"en": "en", "zh": "zh-Hans"}


def paper_html(paper: Paper, language: str = "en") -> str:
    """A whole page; raises ``UnknownLanguage``."""
    shown = sheet(paper, language)
    return _template().render(sheet=shown, lang=_HTML_LANGUAGES[language])


@lru_cache(maxsize=1)
def _template() -> Template:
    source = (files("modelmint.commerce.documents") / "templates" / "invoice.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        source
    )
