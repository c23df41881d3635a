"""The report: one HTML page that needs nothing from elsewhere, reads on a phone and prints on A4."""

from __future__ import annotations

import base64
from datetime import datetime
from importlib.resources import files

from modelmint.kit.canonical import plain
from modelmint.releases.dossier import shapes
from modelmint.releases.dossier.html import environment, sections
from modelmint.releases.dossier.types import Case, Dossier
from modelmint.releases.dossier.words import HTML_LANGUAGES, Say


def report_html(found: Dossier, language: str, printed_at: datetime, *, with_pictures: bool = True) -> str:
    """A whole page; the pictures of cases stand in it, unless they are to be left out.

    Raises ``UnknownReportLanguage``.
    """
    say = Say(language)
    values = {
        "dossier": found,
        "say": say,
        "lang": HTML_LANGUAGES[language],
        "sections": sections(found, language, _inside if with_pictures else _nowhere),
        "style": _style(),
        "printed_at": shapes.moment(plain(printed_at)),
        "with_pictures": with_pictures,
    }
    return environment().get_template("report.html").render(values)


def _style() -> str:
    return files("modelmint.releases.dossier").joinpath("templates", "report.css").read_text(encoding="utf-8")


def _inside(_: str, case: Case, which: str) -> str | None:
    content = case.picture if which == "picture" else case.heat
    return None if content is None else f"data:image/png;base64,{base64.b64encode(content).decode()}"


def _nowhere(_: str, __: Case, ___: str) -> None:
    return None
