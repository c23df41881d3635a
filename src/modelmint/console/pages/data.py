"""What the model was trained and judged on: counts, findings, near duplicates, suspected labels, with their pictures.

Read from the frozen data in the workspace. A shop that holds a release only, copied from elsewhere, shows the card that
the release carries, and says that the pictures are not here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.routing import Route

from modelmint.bootstrap import Shop
from modelmint.console.answers import Answer, Asked, Download, Page
from modelmint.console.errors import NoSuchPage
from modelmint.console.page import Console, page
from modelmint.data.card import card
from modelmint.data.errors import DamagedReview
from modelmint.data.preview import preview
from modelmint.data.reviews import Reviewed, Suspect, Suspects, read_reviewed, read_suspects
from modelmint.data.types import SPLITS, Finding
from modelmint.data.version import ABOUT, DatasetVersion, find_frozen
from modelmint.releases.bundle import Release
from modelmint.releases.dossier.words.told import told

_log = logging.getLogger("modelmint.console")
#: Rows of a list on one page; pictures are fetched for what is shown only.
_ROWS = 24
#: What a card must tell for the page to show it.
_TOLD = {"digest", "labels", "rows", "rows_by_label", "pictures", "facts"}
TWINS, SHIFT = "near_duplicate", "split_shift"
_ALIKE = re.compile(r"\(([0-9.]+) alike\)")


@dataclass(frozen=True, slots=True)
class Side:
    """One picture of a finding: the row, and where its picture is; None where the row has none here."""

    name: str
    split: str
    label: str
    picture: str | None


def pages(console: Console) -> list[Route]:
    """The page and its pictures."""
    return [
        page(console, "/data", "founder", GET=data),
        page(console, "/data/picture/{dataset}/{number}", "founder", GET=picture),
    ]


def data(asked: Asked) -> Answer:
    """The dataset of the release being served, or of the newest one."""
    release = _release(asked.shop)
    if release is None:
        return Page("data.html", {"card": None, "here": False})
    digest = str(release.manifest.dataset.get("digest", ""))
    dataset = _frozen(asked.shop, digest)
    content = release.json("dataset.json") if dataset is None else card(dataset)
    if not set(content) >= _TOLD:
        return Page("data.html", {"card": None, "here": False})
    kinds = [(one["kind"], one["action"], one["rows"]) for one in content.get("problems", ())]
    values: dict[str, Any] = {
        "card": content,
        "facts": [(name, _told(str(value), asked)) for name, value in content["facts"].items()],
        "here": dataset is not None,
        "bars": bars(content["rows_by_label"], content["labels"]),
        "kinds": kinds,
        "shift": content.get("shift") or None,
        "twins": [],
        "findings": [],
        "suspects": None,
        "damaged": False,
        "ranked": [],
        "more": 0,
        "more_suspects": 0,
    }
    if dataset is not None:
        values |= _pictured(asked, dataset)
    return Page("data.html", values)


def picture(asked: Asked) -> Answer:
    """A small PNG of one row, for the founder only; the frame sees to it that nobody keeps it.

    A test row is shown for a finding about it and for nothing else: nobody browses the judge's pictures.
    """
    number = asked.path["number"]
    dataset = _frozen(asked.shop, asked.path["dataset"])
    if dataset is None or not number.isdecimal() or len(number) > 9:
        raise NoSuchPage("there is no such picture")
    payload = dataset.picture(int(number))
    if payload is None:
        raise NoSuchPage("there is no such picture")
    return Download(preview(payload), "image/png")


def _told(text: str, asked: Asked) -> str:
    """A fact as the reader's language says it, where its form is known."""
    return told(text) if asked.words.language == "zh" else text


def bars(rows: Mapping[str, Mapping[str, int]], labels: Sequence[str]) -> list[tuple[str, list[tuple[str, int, int]]]]:
    """Per label its splits: (split, rows, width in percent of the largest)."""
    top = max((rows[split][label] for split in SPLITS for label in labels), default=0) or 1
    return [
        (label, [(split, rows[split][label], -(-100 * rows[split][label] // top)) for split in SPLITS])
        for label in labels
    ]


#: Versions that this process read already, by their folders' workspace and digest; the latest few.
_OPENED: dict[tuple[str, str], DatasetVersion] = {}
_KEPT = 4


def _frozen(shop: Shop, digest: str) -> DatasetVersion | None:
    """The frozen version, read once a process: a page asks for dozens of pictures."""
    key = (str(shop.workspace), digest)
    known = _OPENED.get(key)
    if known is not None and (known.folder / ABOUT).is_file():
        return known
    found = find_frozen(shop.workspace, digest)
    if found is not None:
        while len(_OPENED) >= _KEPT:
            _OPENED.pop(next(iter(_OPENED)), None)
        _OPENED[key] = found
    return found


def _release(shop: Shop) -> Release | None:
    """The one that is served, else the newest sound one."""
    served = {one.name: one.release for one in shop.books.deployments()}
    releases, _ = shop.shelf.survey()
    return next((one for one in releases if one.id in served.values()), releases[0] if releases else None)


def _pictured(asked: Asked, dataset: DatasetVersion) -> dict[str, Any]:
    """Findings, near duplicates and suspects with the addresses of their pictures."""
    start, first = asked.place("from"), asked.place("suspects")
    places = {row.name: number for number, row in enumerate(dataset.all_rows)}

    def side(name: str | None) -> Side:
        number = places.get(name or "")
        if number is None:
            return Side(name or "", "", "", None)
        row = dataset.all_rows[number]
        source = f"/console/data/picture/{dataset.digest}/{number}"
        return Side(row.name, row.split, dataset.labels[row.label], source)

    others = [one for one in dataset.findings if one.kind not in (TWINS, SHIFT)]
    twins = [one for one in dataset.findings if one.kind == TWINS]
    suspects, reviewed, damaged = _reviews(asked.shop, dataset)
    return {
        "twins": [(one, side(one.name), side(one.other), alike(one)) for one in twins[start : start + _ROWS]],
        "findings": [(one, side(one.name)) for one in others[start : start + _ROWS]],
        "more": start + _ROWS if max(len(twins), len(others)) > start + _ROWS else 0,
        "suspects": suspects,
        "damaged": damaged,
        "ranked": _ranked(suspects, reviewed, first, side),
        "more_suspects": first + _ROWS if suspects and len(suspects.rows) > first + _ROWS else 0,
    }


def alike(finding: Finding) -> str:
    """How alike near duplicates are, as the finding says."""
    found = _ALIKE.search(finding.message)
    return found[1] if found else ""


def _reviews(shop: Shop, dataset: DatasetVersion) -> tuple[Suspects | None, dict[str, Reviewed], bool]:
    """What is kept about this version, and whether a file of it cannot be read."""
    try:
        kept = read_suspects(shop.workspace, dataset.digest), read_reviewed(shop.workspace, dataset.digest)
    except DamagedReview as error:
        _log.warning("%s", error)
        return None, {}, True
    return *kept, False


def _ranked(
    suspects: Suspects | None, reviewed: Mapping[str, Reviewed], first: int, side: Callable[[str | None], Side]
) -> list[tuple[Suspect, Side, Reviewed | None]]:
    rows = suspects.rows[first : first + _ROWS] if suspects else ()
    return [(one, side(one.name), reviewed.get(one.name)) for one in rows]
