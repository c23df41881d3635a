"""A release applied to local files: no server, no key, nothing billed. A bad file is a row, not a crash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.predictor import Predictor
from modelmint.kit.errors import InvalidInput, ModelmintError
from modelmint.operations.errors import NoSuchFile, UnreadableFile
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
    read = [_read(file) for file in files]
    payloads = [found for found in read if isinstance(found, bytes)]
    try:
        predictions: Iterator[Prediction | InvalidInput] = iter(predictor.predict(payloads) if payloads else [])
    except InvalidInput:  # one of them; each alone, to know which
        predictions = (_one(predictor, payload) for payload in payloads)
    for file, found in zip(files, read, strict=True):
        answer = next(predictions) if isinstance(found, bytes) else found
        if isinstance(answer, Prediction):
            yield FileAnswer(file, answer, None)
        else:
            yield FileAnswer(file, None, answer)


def _read(file: Path) -> bytes | UnreadableFile:
    try:
        return file.read_bytes()
    except OSError as error:
        return UnreadableFile(f"{file} cannot be read: {error.strerror or error}")


def _one(predictor: Predictor, payload: bytes) -> Prediction | InvalidInput:
    try:
        return predictor.predict([payload])[0]
    except InvalidInput as error:
        return error
