"""A release applied to local files: no server, no key, nothing billed. A bad file is a row, not a crash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.predictor import Predictor
from modelmint.kit.errors import InvalidInput, ModelmintError
from modelmint.operations.errors import NoSuchFile
from modelmint.releases.bundle import Release
from modelmint.serving.loading import engine_choice
from modelmint.tasks.types import Prediction

_BATCH = 32


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """One file's prediction, or why it has none."""

    path: Path
    prediction: Prediction | None
    error: ModelmintError | None


def files_below(wanted: Path) -> list[Path]:
    """``wanted`` itself, or every file in the folder and below it (hidden ones left out), in name order."""
    if wanted.is_file():
        return [wanted]
    if not wanted.is_dir():
        raise NoSuchFile(f"expected a file or a folder, found nothing at {wanted}")
    inside = (path for path in wanted.rglob("*") if path.is_file())
    return sorted(path for path in inside if not any(part.startswith(".") for part in path.relative_to(wanted).parts))


def predict_files(
    release: Release,
    files: Iterable[Path],
    *,
    model: str | None = None,
    variant: str | None = None,
) -> Iterator[FileAnswer]:
    """Answers in the order of ``files``, with the engine and threads measured cheapest on this machine."""
    released = release.model(model)
    name = model or next(iter(release.manifest.models))
    choice = engine_choice(release, name, variant or released.default)
    engine = ENGINES.get(choice.engine)(release.graph(name, variant), choice.threads)
    try:
        predictor = Predictor(released.spec, engine)
        waiting: list[Path] = []
        for file in files:
            waiting.append(file)
            if len(waiting) == _BATCH:
                yield from _batch(predictor, waiting)
                waiting = []
        yield from _batch(predictor, waiting)
    finally:
        engine.close()


def _batch(predictor: Predictor, files: list[Path]) -> Iterator[FileAnswer]:
    if not files:
        return
    payloads = [file.read_bytes() for file in files]
    try:
        for file, prediction in zip(files, predictor.predict(payloads), strict=True):
            yield FileAnswer(file, prediction, None)
        return
    except InvalidInput:
        pass  # find the bad ones below
    for file, payload in zip(files, payloads, strict=True):
        try:
            yield FileAnswer(file, predictor.predict([payload])[0], None)
        except InvalidInput as error:
            yield FileAnswer(file, None, error)
