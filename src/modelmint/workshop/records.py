"""Records of a build as JSON files, and back. No torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modelmint.inference.types import Timing
from modelmint.kit.arrays import AnyArray
from modelmint.kit.canonical import pretty_json
from modelmint.kit.digest import digest_file
from modelmint.kit.estimate import Estimate
from modelmint.serving.types import LoadPoint, LoadResult
from modelmint.tasks.types import DecisionRule
from modelmint.workshop.errors import DamagedGraph
from modelmint.workshop.types import Candidate

CANDIDATES, ROWS = "candidates.json", "rows.npz"
VERDICT = "verdict.json"
LOADS = "loads.json"
EXPLANATIONS = "explanations.json"


def write_candidates(folder: Path, candidates: Sequence[Candidate]) -> None:
    """Lay the candidates into a compress folder."""
    (folder / CANDIDATES).write_text(pretty_json(list(candidates)), encoding="utf-8")


def read_candidates(folder: Path) -> list[Candidate]:
    """The candidates of a compress folder, in the order in which they were made."""
    return [candidate_from(raw) for raw in json.loads((folder / CANDIDATES).read_text(encoding="utf-8"))]


def graph_of(folder: Path, candidate: Candidate) -> Path:
    """The candidate's graph in a compress folder; raises ``DamagedGraph`` where it is not the one that was measured."""
    path = folder / str(candidate.graph)
    found = digest_file(path) if path.is_file() else "no file"
    if candidate.graph is None or found != candidate.graph_digest:
        raise DamagedGraph(
            f"the graph of {candidate.key} at {path} is not the one that was measured: expected sha256 "
            f"{candidate.graph_digest}, found {found}. Do: build again; the compress step is then done again"
        )
    return path


def candidate_from(raw: Mapping[str, Any]) -> Candidate:
    """A candidate from its plain JSON form."""
    scores, timing, decision = raw["scores"], raw["timing"], raw["decision"]
    return Candidate(
        **{
            **raw,
            "recipe": tuple(raw["recipe"]),
            "facts": tuple(raw["facts"]),
            "scores": None if scores is None else estimates_from(scores),
            "timing": None if timing is None else _timing(timing),
            "decision": None if decision is None else DecisionRule(**decision),
        }
    )


def estimates_from(raw: Mapping[str, Any]) -> dict[str, Estimate]:
    """Estimates by name from plain JSON."""
    return {name: Estimate(**value) for name, value in raw.items()}


def _timing(raw: Mapping[str, Any]) -> Timing:
    measured = {name: Estimate(**raw[name]) for name in ("cpu_ms", "p50_ms", "p99_ms")}
    return Timing(**{**raw, **measured})


def load_result_from(raw: Mapping[str, Any]) -> LoadResult:
    """A load test's result from its plain JSON form."""
    best = raw["best"]
    points = tuple(LoadPoint(**point) for point in raw["points"])
    return LoadResult(**{**raw, "points": points, "best": None if best is None else LoadPoint(**best)})


def rounded(value: Any) -> Any:
    """``value`` (plain JSON) with floats to six significant digits.

    Beyond them a score depends on how many threads summed it: two honest builds of the same content agree.
    """
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {name: rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return value


def read_rows(folder: Path) -> dict[str, AnyArray]:
    """``wrong/KEY``, ``open/KEY`` and ``missed/KEY`` ``[validation rows]``: how often a row is answered wrongly, left
    open, and given a wrong label whether left open or not.
    """
    with np.load(folder / ROWS) as arrays:
        return {name: arrays[name] for name in arrays.files}


def read_verdict(folder: Path) -> tuple[int, dict[str, Any]]:
    """How often the test split had been read, and the scorecards as plain JSON by candidate."""
    found = json.loads((folder / VERDICT).read_text(encoding="utf-8"))
    return int(found["reads"]), found["cards"]


def read_loads(folder: Path) -> dict[str, LoadResult | str]:
    """Candidate -> load test, or the reason why there is none."""
    raw = json.loads((folder / LOADS).read_text(encoding="utf-8"))
    return {key: str(item["error"]) if "error" in item else load_result_from(item) for key, item in raw.items()}


def read_explanations(folder: Path) -> dict[str, Any]:
    """The body of the statement on explanations; ``failed`` says why where there are none."""
    found: dict[str, Any] = json.loads((folder / EXPLANATIONS).read_text(encoding="utf-8"))
    return found
