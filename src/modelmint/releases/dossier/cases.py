"""The surest right and wrong cases that a build kept in the workspace. They may be private, so no bundle holds them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelmint.releases.dossier.read import UNEXPECTED
from modelmint.releases.dossier.types import Case, Missing

#: Folder of the workspace, and the list in each model's folder below it.
CASES, LIST = "cases", "cases.json"
_PNG = b"\x89PNG\r\n\x1a\n"
#: A picture of a case is small; what is larger was not put there by a build.
_LARGEST = 8 * 2**20


def cases_of(workspace: Path, release: str, model: str) -> tuple[Case, ...] | Missing:
    """The cases of one model in the order in which they were kept; ``Missing`` where there are none here."""
    folder = workspace / CASES / release / model
    try:
        raw = json.loads((folder / LIST).read_bytes())
        return tuple(_case(place, one, folder) for place, one in enumerate(raw))
    except OSError:
        return Missing("missing.cases", "modelmint build")
    except UNEXPECTED:
        return Missing("missing.form", "modelmint build")


def _case(place: int, raw: Mapping[str, Any], folder: Path) -> Case:
    return Case(
        place=place,
        name=str(raw["name"]),
        truth=str(raw["truth"]),
        label=str(raw["label"]),
        probability=float(raw["probability"]),
        right=bool(raw["right"]),
        picture=_png(folder, raw.get("picture")),
        heat=_png(folder, raw.get("heat")),
    )


def _png(folder: Path, name: Any) -> bytes | None:
    """The file's bytes where it is a PNG beside the list; None for anything else, links and long paths included."""
    if not isinstance(name, str) or Path(name).name != name:
        return None
    path = folder / name
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        content = path.read_bytes()
    except (OSError, ValueError):
        return None
    return content if content.startswith(_PNG) else None
