"""A venture's folder in the hands of a program: build, look, predict, serve."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from modelmint.kit.progress import Progress, Silent
from modelmint.sdk.errors import NoVentureHere

if TYPE_CHECKING:
    from modelmint.operations.local_predict import LocalModel
    from modelmint.sdk.answers import LocalPrediction, LocalPredictions
    from modelmint.sdk.building import Build
    from modelmint.sdk.dataset import Dataset
    from modelmint.sdk.inputs import One
    from modelmint.sdk.release import Candidates, Releases, ReleaseView
    from modelmint.sdk.serving import Serving
    from modelmint.venture.load import LoadedVenture

WORKSPACE = ".modelmint"
VENTURE_FILE = "venture.toml"


class Venture:
    """What ``modelmint.open`` gives. Reads files when it is asked, so that an edited ``venture.toml`` counts at once.

    It keeps the models open that it predicted with: use it as a context manager, or ``close`` it, where that matters.
    Not to be shared between threads.
    """

    def __init__(self, root: Path, progress: Progress | None = None) -> None:
        """``root``: the folder; ``progress``: where long work tells of itself, nowhere if left out."""
        self.root = root
        self._progress = progress or Silent()
        self._opened: dict[tuple[str, str, str], LocalModel] = {}

    @property
    def workspace(self) -> Path:
        """``.modelmint/`` below the root; it may not exist yet."""
        return self.root / WORKSPACE

    @property
    def file(self) -> LoadedVenture:
        """The venture file, checked; raises ``InvalidVenture`` with every problem, ``VentureNotFound``."""
        from modelmint.venture.load import load_venture

        return load_venture(self.root)

    @property
    def name(self) -> str:
        """As the file says; the folder's name where there is no file."""
        return self.file.file.venture.name if (self.root / VENTURE_FILE).exists() else self.root.name

    def build(self, *, waive: Mapping[str, str] | None = None, fresh: bool = False) -> Build:
        """Prepare, train, compress, judge, price, release; only what changed is done again.

        ``waive`` lets gates fail, gate -> reason, and is kept in the release; ``fresh`` repeats every step. Raises
        ``GateFailed``, ``MissingExtra`` where the workshop is not installed, ``BuildRunning``, ``BadWaiver``.
        """
        from modelmint.sdk.building import Build, build_venture

        report = build_venture(self.file, self.found_workspace(), self._progress, waive=waive, fresh=fresh)
        return Build(report, self.releases[report["release"]["id"]])

    @property
    def releases(self) -> Releases:
        """What was built here or imported, the newest first."""
        from modelmint.releases.shelf import Shelf
        from modelmint.sdk.release import Releases

        return Releases(Shelf(self.workspace / "releases"), self.workspace)

    @property
    def candidates(self) -> Candidates:
        """What the newest release was chosen from (of a lone model); raises ``NothingBuilt``, ``UnknownModel``."""
        return self.releases.latest.candidates()

    @property
    def data(self) -> Dataset:
        """The dataset as ``build`` would take it: read, checked, split and frozen now, or from the cache."""
        from modelmint.sdk.dataset import Dataset
        from modelmint.sdk.datasets import current

        return Dataset(current(self.file, self.found_workspace(), self._progress))

    def predict(
        self,
        given: One | Iterable[One],
        *,
        explain: bool = False,
        release: str | None = None,
        model: str | None = None,
        variant: str | None = None,
    ) -> LocalPrediction | LocalPredictions:
        """Answers of a release in this process: no server, no key, nothing billed, no torch.

        One input (a path, encoded bytes, a Pillow picture, pixels ``[height, width(, 1 | 3 | 4)]`` as uint8) gives
        one answer and raises what is wrong with it. A folder, a list or a batch of pixels gives as many answers in
        their order, and what is wrong with one stands in its ``error``. ``explain`` adds which regions spoke for
        each answer; with occlusion that takes 49 more passes. ``release``: its id or the beginning of it, else the
        newest; ``model`` where a release holds several; ``variant``: else its default.
        """
        from modelmint.sdk.answers import LocalPredictions
        from modelmint.sdk.inputs import is_one

        answers = list(self.answers(given, explain=explain, release=release, model=model, variant=variant))
        if not is_one(given):
            return LocalPredictions(answers)
        if answers[0].error is not None:
            raise answers[0].error
        return answers[0]

    def answers(
        self,
        given: One | Iterable[One],
        *,
        explain: bool = False,
        release: str | None = None,
        model: str | None = None,
        variant: str | None = None,
    ) -> Iterator[LocalPrediction]:
        """As ``predict``, one after the other as they come: for more inputs than memory holds."""
        from modelmint.sdk.answers import local_prediction
        from modelmint.sdk.inputs import named

        opened = self._model(self.release(release), model, variant)
        for one in opened.answers(named(given), explain=explain):
            yield local_prediction(one, opened.spec.labels)

    def release(self, wanted: str | Path | None = None) -> ReleaseView:
        """By id, its beginning or a folder; the newest where none is named."""
        from modelmint.releases.bundle import Release
        from modelmint.sdk.release import ReleaseView

        if wanted is None:
            return self.releases.latest
        if (Path(wanted) / "manifest.json").is_file():
            return ReleaseView(Release.open(Path(wanted).resolve()), self.workspace)
        return self.releases[str(wanted)]

    def report(
        self, release: str | Path | None = None, *, language: str = "en", form: str = "html", pictures: bool = True
    ) -> bytes:
        """The report on a release, one page that needs nothing else: as HTML, or with ``form`` "pdf" as PDF.

        ``language`` is en or zh; ``pictures`` shows the surest right and wrong cases, which may be private. Raises
        ``UnknownReportLanguage``, for a PDF ``MissingExtra``.
        """
        from modelmint.kit.clock import SystemClock
        from modelmint.operations.report import dossier_of, printed

        found = dossier_of(self.release(release).bundle, self.workspace)
        return printed(found, language, SystemClock().now(), form, with_pictures=pictures)

    def card(self, release: str | Path | None = None, *, language: str = "en") -> str:
        """The model card of a release as Markdown, in en or zh; raises ``UnknownReportLanguage``."""
        from modelmint.operations.report import dossier_of
        from modelmint.releases.dossier.markdown import card_markdown

        return card_markdown(dossier_of(self.release(release).bundle, self.workspace), language)

    @contextmanager
    def serve(self, *, host: str = "127.0.0.1", port: int = 0, workers: int | None = None) -> Iterator[Serving]:
        """The shop, open while the block runs: ``modelmint serve`` in a process of its own, console and all.

        ``port`` 0 takes a free one. Raises ``ServerFailed`` with what the server said where it does not start.
        """
        from modelmint.sdk.serving import serving

        with serving(self.root, host, port, workers) as running:
            yield running

    def found_workspace(self) -> Path:
        """The workspace, made where there is none; for its owner only, since it comes to hold customers' data."""
        self.workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.workspace

    def close(self) -> None:
        """Close the models that were opened; the next ``predict`` opens them again."""
        for opened in self._opened.values():
            opened.close()
        self._opened.clear()

    def _model(self, release: ReleaseView, model: str | None, variant: str | None) -> LocalModel:
        from modelmint.operations.local_predict import LocalModel

        released = release.bundle.model(model)
        key = (release.id, model or release.models[0], variant or released.default)
        if key not in self._opened:
            self._opened[key] = LocalModel(release.bundle, key[1], variant)
        return self._opened[key]

    def __enter__(self) -> Venture:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<venture {self.name} in {self.root}: {_counted(len(self.releases))}>"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p><b>{escape(self.name)}</b> in {escape(str(self.root))}</p>{self.releases._repr_html_()}"


def open_venture(path: str | os.PathLike[str] = ".", progress: Progress | None = None) -> Venture:
    """The venture at ``path``: its folder, or its ``venture.toml``. See ``modelmint.open``."""
    found = Path(path).expanduser().resolve()
    root = found.parent if found.is_file() and found.name == VENTURE_FILE else found
    if not (root / VENTURE_FILE).exists() and not (root / WORKSPACE).is_dir():
        raise NoVentureHere(
            f"expected a {VENTURE_FILE} or a workspace in {root}, found neither. Name the venture's folder, or make "
            "one: modelmint new NAME"
        )
    return Venture(root, progress if progress is not None else _told())


def _told() -> Progress:
    """Bars or lines on stderr, as the shell shows them."""
    from rich.console import Console

    from modelmint.sdk.progress import PlainProgress, RichProgress

    console = Console(stderr=True, highlight=False)
    return RichProgress(console) if console.is_terminal else PlainProgress(sys.stderr)


def _counted(releases: int) -> str:
    from modelmint.sdk.views.figures import count

    return count(releases, "release")


__all__ = ["Venture", "open_venture"]
