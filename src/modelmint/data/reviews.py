"""What waits for a person to look at it: suspected wrong labels, decisions on them, and the shift between splits.

One folder per dataset version below ``WORKSPACE/reviews/``, read by the console, the report and ``modelmint data``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from modelmint.data.errors import DamagedReview
from modelmint.data.version import SHIFT, DatasetVersion
from modelmint.kit.canonical import pretty_json
from modelmint.kit.files import write_atomic

SUSPECTS, REVIEWED = "suspects.json", "reviewed.json"
Decision = Literal["keep", "relabel", "drop"]
DECISIONS: tuple[Decision, ...] = ("keep", "relabel", "drop")


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row of train or val whose label may be wrong."""

    name: str
    split: str
    label: str
    #: The label that is likeliest for a model which never saw the row, and how likely.
    suggested: str
    probability: float
    #: How likely the row's own label is: the lower, the more it is suspected.
    score: float
    #: Whether it is counted as a label issue, and not only ranked.
    flagged: bool


@dataclass(frozen=True, slots=True)
class Suspects:
    """A ranking of one dataset version, worst first; ``rows`` holds the worst, ``n`` counts all that were ranked."""

    dataset: str
    method: str
    folds: int
    n: int
    flagged: int
    rows: tuple[Suspect, ...]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A decision on one row; ``label`` is the right one, None where the row is dropped."""

    decision: Decision
    label: str | None


def folder(workspace: Path, dataset: str) -> Path:
    """Where the reviews of a dataset version lie."""
    return workspace / "reviews" / dataset


def lay_shift(workspace: Path, dataset: DatasetVersion) -> None:
    """Put what was found between the splits of ``dataset`` beside its other reviews."""
    target = folder(workspace, dataset.digest) / SHIFT
    if dataset.shift and not target.exists():
        _write(target, {"dataset": dataset.digest, **dataset.shift})


def write_suspects(workspace: Path, suspects: Suspects) -> Path:
    """Keep a ranking; where it lies."""
    target = folder(workspace, suspects.dataset) / SUSPECTS
    _write(target, asdict(suspects))
    return target


def read_suspects(workspace: Path, dataset: str) -> Suspects | None:
    """The ranking of a dataset version; None where nobody asked for one. Raises ``DamagedReview``."""
    file = folder(workspace, dataset) / SUSPECTS
    if not file.exists():
        return None
    try:
        raw = json.loads(file.read_bytes())
        return Suspects(**{**raw, "rows": tuple(Suspect(**row) for row in raw["rows"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedReview(f"{file} cannot be read ({error!r}). Do: modelmint data suspects --again") from error


def write_reviewed(workspace: Path, dataset: str, decisions: Mapping[str, Reviewed]) -> None:
    """Keep decisions, replacing those that were kept before."""
    rows = {name: asdict(one) for name, one in sorted(decisions.items())}
    _write(folder(workspace, dataset) / REVIEWED, {"dataset": dataset, "rows": rows})


def read_reviewed(workspace: Path, dataset: str) -> dict[str, Reviewed]:
    """Decisions by row; {} where there are none. Raises ``DamagedReview``."""
    file = folder(workspace, dataset) / REVIEWED
    if not file.exists():
        return {}
    try:
        return {name: Reviewed(**row) for name, row in json.loads(file.read_bytes())["rows"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedReview(f"{file} cannot be read ({error!r}). Do: import the reviewed file again") from error


def _write(target: Path, content: Mapping[str, Any]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(target, pretty_json(content))
