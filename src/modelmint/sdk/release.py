"""A release as a program sees it: figures, tables, diagrams, and its models to ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, overload

from modelmint.kit.canonical import plain
from modelmint.releases.bundle import Release
from modelmint.releases.describe import describe
from modelmint.releases.shelf import Shelf
from modelmint.releases.sign import KEY_FILE, public_key
from modelmint.releases.types import Damage
from modelmint.sdk.errors import NothingBuilt
from modelmint.sdk.shown import Plot, Shown
from modelmint.sdk.types import TableView
from modelmint.sdk.views.building import candidates_view, gates_view, judged_title, metrics_view
from modelmint.sdk.views.releases import release_json, releases_view


class Candidates(Shown, Sequence[Mapping[str, Any]]):
    """Every variant that was scored on validation and timed on the machine that built, the chosen one among them."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], currency: str | None) -> None:
        self._rows, self._currency = tuple(rows), currency

    @property
    def chosen(self) -> Mapping[str, Any] | None:
        """The one that is sold; None where the release says nothing of candidates."""
        return next((row for row in self._rows if row.get("chosen")), None)

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Mapping[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self._rows)

    def _views(self) -> Sequence[TableView]:
        return (candidates_view(self._rows, self._currency),)


class ReleaseView(Shown):
    """One release on the shelf. Where it holds several models, name the one that is meant: ``metrics("lungs")``."""

    def __init__(self, bundle: Release, workspace: Path | None = None) -> None:
        """``workspace``: whose key tells own statements from foreign ones; without one all are foreign."""
        #: The bundle itself: its manifest, files and statements.
        self.bundle = bundle
        self._workspace = workspace

    @property
    def id(self) -> str:
        """sha256 of the manifest."""
        return self.bundle.id

    @property
    def path(self) -> Path:
        """Where the bundle lies."""
        return self.bundle.path

    @property
    def models(self) -> tuple[str, ...]:
        """Names of its models."""
        return tuple(self.bundle.manifest.models)

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """Everything about it as plain JSON: the object of ``releases show --json``."""
        own = None if self._workspace is None else public_key(self._workspace / "keys" / KEY_FILE)
        found: Mapping[str, Any] = plain(describe(self.bundle, own))
        return found

    def metrics(self, model: str | None = None) -> Mapping[str, Any]:
        """Metric -> {value, low, high, n} on the test split; raises ``UnknownModel``."""
        found: Mapping[str, Any] = self.facts["models"][self._name(model)]["metrics"]
        return found

    def candidates(self, model: str | None = None) -> Candidates:
        """What was compared, with its figures; empty where no statement tells. Raises ``UnknownModel``."""
        return Candidates(self._said("timings", model).get("candidates", ()), self.cost(model).get("currency"))

    def gates(self, model: str | None = None) -> Sequence[Mapping[str, Any]]:
        """Wanted and found, of the newest statement; raises ``UnknownModel``."""
        found: Sequence[Mapping[str, Any]] = self._said("gates", model).get("gates", ())
        return found

    def cost(self, model: str | None = None) -> Mapping[str, Any]:
        """What a call costs on the machine that measured it last; {} where none did. Raises ``UnknownModel``."""
        return self._said("cost", model)

    @property
    def plots(self) -> Mapping[str, Plot]:
        """``MODEL/roc``, ``MODEL/reliability``, ...; each is drawn in a notebook."""
        names = [name for name in self.bundle.manifest.files if name.startswith("plots/") and name.endswith(".svg")]
        return {
            key: Plot(key, self.bundle.file(name).read_text(encoding="utf-8"))
            for name in sorted(names)
            for key in [name.removeprefix("plots/").removesuffix(".svg")]
        }

    def verify(self) -> Sequence[Damage]:
        """Every file that is not what the manifest says; empty means sound."""
        from modelmint.releases.verify import verify

        return verify(self.path)

    def _name(self, model: str | None) -> str:
        self.bundle.model(model)
        return model or self.models[0]

    def _said(self, kind: str, model: str | None) -> Mapping[str, Any]:
        name = self._name(model)
        statement = self.bundle.newest(kind)
        return {} if statement is None else statement.of(name)

    def _views(self) -> Sequence[TableView]:
        views = []
        for name in self.models:
            views.append(metrics_view(self.metrics(name), judged_title(name, self.facts["models"][name]["test_reads"])))
            views += [gates_view(gates)] if (gates := self.gates(name)) else []
        return views

    def __repr__(self) -> str:
        return f"Release {self.id}\n\n{super().__repr__()}"

    def _pictures(self) -> Sequence[str]:
        return [plot._repr_html_() for plot in self.plots.values()]


class Releases(Shown, Sequence[ReleaseView]):
    """All releases on the shelf, the newest first; ``[0]``, or ``["5eea"]`` by the beginning of an id."""

    def __init__(self, shelf: Shelf, workspace: Path) -> None:
        self._shelf, self._workspace = shelf, workspace

    @cached_property
    def _found(self) -> tuple[ReleaseView, ...]:
        return tuple(ReleaseView(one, self._workspace) for one in self._shelf.list())

    @property
    def latest(self) -> ReleaseView:
        """The newest; raises ``NothingBuilt`` where there is none."""
        if not self._found:
            raise NothingBuilt(
                f"there is no release in {self._shelf.root} yet. Make one: modelmint build, or .build() in Python"
            )
        return self._found[0]

    @overload
    def __getitem__(self, wanted: int | str) -> ReleaseView: ...
    @overload
    def __getitem__(self, wanted: slice) -> Sequence[ReleaseView]: ...
    def __getitem__(self, wanted: int | str | slice) -> ReleaseView | Sequence[ReleaseView]:
        """Raises ``ReleaseNotFound``, ``AmbiguousRelease`` for a text, ``IndexError`` for a number."""
        if isinstance(wanted, str):
            return ReleaseView(self._shelf.get(wanted), self._workspace)
        return self._found[wanted]

    @property
    def facts(self) -> list[dict[str, Any]]:
        """Each in short, and the names that it is served under now: what ``modelmint releases list --json`` tells."""
        from modelmint.bootstrap import served_in

        served = served_in(self._workspace.parent)
        return [release_json(one.bundle, served) for one in self._found]

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[ReleaseView]:
        return iter(self._found)

    def _views(self) -> Sequence[TableView]:
        return (releases_view(self.facts),)
