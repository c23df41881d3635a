"""A release told whole: its dossier out of a workspace, and the report as a page or on paper."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from modelmint.commerce.types import Deployment
from modelmint.kit.pdf import pdf_of
from modelmint.releases.bundle import Release
from modelmint.releases.dossier.facts import dossier
from modelmint.releases.dossier.page import report_html
from modelmint.releases.dossier.types import Dossier
from modelmint.releases.sign import KEY_FILE, public_key


def dossier_of(release: Release, workspace: Path, deployed: Sequence[Deployment] | None = None) -> Dossier:
    """All that is known of ``release`` in ``workspace``; ``deployed`` is what the books say is served now.

    Raises ``UnreadableKey``. What is damaged or missing in the release itself is told by the dossier, never raised.
    """
    serves = None if deployed is None else tuple(sorted(row.name for row in deployed if row.release == release.id))
    return dossier(release, workspace, public_key(workspace / "keys" / KEY_FILE), serves)


def printed(found: Dossier, language: str, now: datetime, form: str, *, with_pictures: bool = True) -> bytes:
    """The report in ``form`` html or pdf; raises ``UnknownReportLanguage``, for a PDF ``MissingExtra``."""
    page = report_html(found, language, now, with_pictures=with_pictures)
    return pdf_of(page, "a report") if form == "pdf" else page.encode()
