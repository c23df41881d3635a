"""Templates into pages: the words, the shapes and the frame around every page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from modelmint.console import navigation
from modelmint.console.answers import Asked, Page
from modelmint.console.sessions import CUSTOMER, FOUNDER
from modelmint.console.shapes import FILTERS
from modelmint.console.words import NAMES, Words

TEMPLATES = Path(__file__).parent / "templates"


class Frame:
    """Renders pages; one for the life of a process."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.filters.update(FILTERS)

    def render(self, page: Page, asked: Asked, path: str, token: str, said: str = "") -> bytes:
        """The whole page as the browser gets it. ``token`` goes into its forms."""
        words = asked.words
        values: dict[str, Any] = {
            "t": words,
            "language": words.language,
            "languages": [(name, title, _other(path, asked.query, name)) for name, title in NAMES.items()],
            "venture": asked.shop.name,
            "notice": asked.shop.notice,
            "session": asked.session,
            "founder": asked.founder,
            "groups": _groups(asked, path),
            "path": path,
            "form_token": token,
            "said": said,
            "state": _state(words),
            "front": "/console/",
            "shell": "bare",
            "typed": None,
            "failed": None,
            **page.values,
        }
        return self._templates.get_template(page.template).render(values).encode()


def _groups(asked: Asked, path: str) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """The navigation of this reader: (heading, [(words, path, whether it is here)])."""
    groups = {FOUNDER: navigation.FOUNDER, CUSTOMER: navigation.CUSTOMER}.get(asked.session.who, ())
    return [(g.words, [(e.words, e.path, navigation.is_here(e, path)) for e in g.entries]) for g in groups]


def _other(path: str, query: Mapping[str, str], language: str) -> str:
    return f"{path}?{urlencode({**query, 'lang': language})}"


def _state(words: Words) -> Any:
    """States by name: those we know in words, others as they are."""
    return lambda name: words.either(f"state.{name}", name)
