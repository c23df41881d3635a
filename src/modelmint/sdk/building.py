"""The workshop's build, handed the function that starts the real server. The one place where the two meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelmint.kit.errors import MissingExtra
from modelmint.kit.registry import nearest
from modelmint.sdk.errors import BadWaiver
from modelmint.sdk.release import Candidates, ReleaseView
from modelmint.sdk.shown import Shown
from modelmint.sdk.types import TableView
from modelmint.sdk.views.building import candidates_view, gates_view, judged_title, metrics_view

if TYPE_CHECKING:
    from modelmint.kit.progress import Progress
    from modelmint.venture.load import LoadedVenture

#: As in ``[gates.waive]`` of the venture file.
SHORTEST_REASON = 8


def need_workshop(wanted_for: str, *, training: bool = True) -> None:
    """Raises ``MissingExtra`` where what builds is not installed; imports nothing.

    Without ``training`` (models made elsewhere) torch is not needed.
    """
    needed = ("torch", "onnx", "scipy") if training else ("onnx", "scipy")
    if any(find_spec(name) is None for name in needed):
        raise MissingExtra("workshop", wanted_for)


def check_waivers(waivers: Mapping[str, str], gates: Sequence[str]) -> None:
    """Refuse a waiver for a gate that is not set, or with a reason that says nothing; raises ``BadWaiver``."""
    problems = []
    for gate, reason in waivers.items():
        if gate not in gates:
            close = nearest(gate, list(gates))
            hint = f"; did you mean {close!r}?" if close else ""
            problems.append(f"{gate}: no such gate in [gates], which sets {', '.join(gates) or 'none'}{hint}")
        if len(reason) < SHORTEST_REASON:
            problems.append(f"{gate}: a reason has at least {SHORTEST_REASON} characters, found {reason!r}")
    if problems:
        raise BadWaiver("these gates cannot be waived so", problems=problems)


def build_venture(
    venture: LoadedVenture,
    workspace: Path,
    progress: Progress,
    *,
    waive: Mapping[str, str] | None = None,
    fresh: bool = False,
) -> dict[str, Any]:
    """Build ``venture`` into a release on the shelf of ``workspace``; the ``build --json`` object.

    Raises ``MissingExtra``, ``BadWaiver`` and what ``workshop.pipeline.build`` does.
    """
    check_waivers(waive or {}, list(venture.file.gates.bounds()))
    need_workshop("building", training=not all(model.own for model in venture.file.all_models().values()))
    from modelmint.api.candidate import measure_candidate
    from modelmint.kit.canonical import plain
    from modelmint.kit.clock import SystemClock
    from modelmint.workshop.pipeline import build

    report = build(venture, workspace, progress, measure_candidate, SystemClock(), waive=waive or {}, fresh=fresh)
    found: dict[str, Any] = plain(report.to_json())
    return found


def graph_files(path: Path) -> list[str]:
    """The names of a model made elsewhere and of the files of weights beside it, relative to its folder.

    Raises ``MissingExtra``, and ``UnreadableGraph`` where it is no sound ONNX file or reaches outside its folder.
    """
    need_workshop("taking in a model.onnx", training=False)
    from modelmint.workshop.adoption.source import open_foreign

    return list(open_foreign(path).files)


class Build(Shown):
    """A finished build: what was tried, how good it is, what it costs, and the release that came of it."""

    def __init__(self, report: Mapping[str, Any], release: ReleaseView) -> None:
        self._report = report
        #: What is on the shelf now.
        self.release = release

    def to_json(self) -> dict[str, Any]:
        """The ``build --json`` object."""
        return dict(self._report)

    @property
    def seconds(self) -> Mapping[str, float]:
        """Step -> seconds it took when it ran, in this build or in the one whose work was reused."""
        found: Mapping[str, float] = self._report["seconds"]
        return found

    @property
    def cached(self) -> tuple[str, ...]:
        """Steps that nothing had changed for."""
        return tuple(self._report["cached"])

    def candidates(self, model: str | None = None) -> Candidates:
        """What the release was chosen from; raises ``UnknownModel``."""
        return self.release.candidates(model)

    def metrics(self, model: str | None = None) -> Mapping[str, Any]:
        """Metric -> {value, low, high, n} on the test split; raises ``UnknownModel``."""
        return self.release.metrics(model)

    def _views(self) -> Sequence[TableView]:
        views: list[TableView] = []
        for name, model in self._report["models"].items():
            views.append(candidates_view(model["candidates"], (model.get("cost") or {}).get("currency")))
            views.append(metrics_view(model["metrics"], judged_title(name, model.get("test_reads"))))
            views += [gates_view(model["gates"])] if model["gates"] else []
        return views

    def __repr__(self) -> str:
        return f"{super().__repr__()}\n\nRelease {self.release.id[:12]} in {self.release.path}"

    def _pictures(self) -> Sequence[str]:
        return self.release._pictures()
