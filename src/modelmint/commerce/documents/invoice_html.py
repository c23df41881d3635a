"""An invoice as one HTML page that needs nothing from elsewhere and prints on A4; everything in it is escaped."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from modelmint.commerce.documents.sheet import sheet
from modelmint.commerce.documents.types import Paper

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_HTML_LANGUAGES = {"en": "en", "zh": "zh-Hans"}


def paper_html(paper: Paper, language: str = "en") -> str:
    """A whole page; raises ``UnknownLanguage``."""
    shown = sheet(paper, language)
    return _template().render(sheet=shown, lang=_HTML_LANGUAGES[language])


def page_policy(page: str) -> str:
    """Content-Security-Policy for a page: its own style sheet applies, nothing runs, is fetched, or frames it."""
    digests = [hashlib.sha256(style.encode()).digest() for style in _STYLE.findall(page)]
    styles = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return f"default-src 'none'; style-src {styles}; frame-ancestors 'none'; base-uri 'none'"


@lru_cache(maxsize=1)
def _template() -> Template:
    source = files("modelmint.commerce.documents").joinpath("templates", "invoice.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        source
    )
