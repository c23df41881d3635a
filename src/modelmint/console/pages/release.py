"""What is sold: a release whole, its cases, and the report to hand on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.routing import Route

from modelmint.commerce.documents.invoice_html import page_policy
from modelmint.console.answers import Answer, Asked, Download, Page
from modelmint.console.errors import NoSuchPage
from modelmint.console.page import PLACE, Console, page
from modelmint.kit.pdf import pdf_apart
from modelmint.operations.report import dossier_of, printed
from modelmint.releases.bundle import Release
from modelmint.releases.dossier.cases import cases_of
from modelmint.releases.dossier.html import Place, sections
from modelmint.releases.dossier.types import Case, Missing

#: The list beside the release shows so many; older ones are found by their id.
LISTED = 50


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        page(console, "/release", "founder", GET=release),
        page(console, "/release/{release}", "founder", GET=release),
        page(console, "/release/{release}/report", "founder", GET=report),
        page(console, "/release/{release}/cases/{model}/{place}/{which}", "founder", GET=picture),
    ]


def release(asked: Asked) -> Answer:
    """The one of the path, else the newest that is served, else the newest on the shelf."""
    deployed = asked.books.deployments()
    releases, broken = asked.shop.shelf.survey()
    served: dict[str, list[str]] = {}
    for row in sorted(deployed, key=lambda row: row.name):
        served.setdefault(row.release, []).append(row.name)
    chosen = _chosen(asked, releases, served)
    values: dict[str, Any] = {
        "chosen": chosen,
        "listed": [(one.id, _made_at(one), served.get(one.id, [])) for one in releases[:LISTED]],
        "more": max(0, len(releases) - LISTED),
        "broken": [error.message for error in broken],
        "sections": [],
        "build": "modelmint build",
    }
    if chosen is not None:
        found = dossier_of(chosen, asked.shop.workspace, deployed)
        values["sections"] = sections(found, asked.words.language, _places(chosen.id))
    return Page("release.html", values)


def _chosen(asked: Asked, releases: Sequence[Release], served: dict[str, list[str]]) -> Release | None:
    if wanted := asked.path.get("release"):
        return asked.shop.shelf.get(wanted)
    return next((one for one in releases if one.id in served), releases[0] if releases else None)


def _made_at(one: Release) -> datetime | None:
    statements = one.statements()
    return datetime.fromisoformat(statements[0].made_at) if statements else None


def _places(release: str) -> Place:
    def place(model: str, case: Case, which: str) -> str:
        return f"{PLACE}/release/{release}/cases/{quote(model, safe='')}/{case.place}/{which}"

    return place


def report(asked: Asked) -> Answer:
    """The report as a page of its own, in the reader's language; to keep with ``?save=html`` or ``?save=pdf``.

    A PDF is printed in a process of its own, in turn with other documents: calls are answered meanwhile.
    """
    found = dossier_of(asked.shop.shelf.get(asked.path["release"]), asked.shop.workspace)
    language = asked.words.language
    content = printed(found, language, asked.shop.clock.now(), "html")
    save = asked.query.get("save")
    name = f"report-{found.id[:12]}-{language}.{save}" if save in ("html", "pdf") else None
    if save == "pdf":
        later = asked.shop.printer.run(lambda: pdf_apart(content.decode(), "a report"))
        return Download(later, "application/pdf", name)
    return Download(content, "text/html", name, f"{page_policy(content.decode())}; img-src data:")


def picture(asked: Asked) -> Answer:
    """One picture of a case, or its heat map; nothing else of the workspace."""
    one = asked.shop.shelf.get(asked.path["release"])
    cases = (
        cases_of(asked.shop.workspace, one.id, asked.path["model"])
        if asked.path["model"] in one.manifest.models
        else ()
    )
    for case in () if isinstance(cases, Missing) else cases:
        if str(case.place) == asked.path["place"]:
            content = {"picture": case.picture, "heat": case.heat}.get(asked.path["which"])
            if content is not None:
                return Download(content, "image/png")
    raise NoSuchPage("there is no such picture")
