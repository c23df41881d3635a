"""A release applied to what lies here: no server, no key, nothing billed. A bad input is a row, not a crash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.explain.explain import explain_row
from modelmint.inference.explain.types import Explanation
from modelmint.inference.predictor import Predictor
from modelmint.kit.errors import InvalidInput, ModelmintError
from modelmint.operations.errors import NoSuchFile, UnreadableFile
from modelmint.releases.bundle import Release
from modelmint.serving.loading import engine_choice
from modelmint.tasks.registry import TASKS
from modelmint.tasks.types import Prediction

_BATCH = 32


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """One input's prediction, or why it has none."""

    #: The file's path, or where the input stood among those handed in.
    name: str
    prediction: Prediction | None
    error: ModelmintError | None
    #: Which regions spoke for the label, where that was asked for.
    explanation: Explanation | None = None


def files_below(wanted: Path) -> list[Path]:
    """``wanted`` itself, or every file in the folder and below it (hidden ones left out), in name order."""
    if wanted.is_file():
        return [wanted]
    if not wanted.is_dir():
        raise NoSuchFile(f"expected a file or a folder, found nothing at {wanted}")
    inside = (path for path in wanted.rglob("*") if path.is_file())
    return sorted(path for path in inside if not any(part.startswith(".") for part in path.relative_to(wanted).parts))


class LocalModel:
    """One variant of a release, with the engine and threads measured cheapest on this machine. To be closed."""

    def __init__(self, release: Release, model: str | None = None, variant: str | None = None) -> None:
        """Raises ``UnknownModel``, ``DamagedRelease``."""
        released = release.model(model)
        self.name = model or next(iter(release.manifest.models))
        self.variant = variant or released.default
        choice = engine_choice(release, self.name, self.variant)
        self.spec = released.spec
        self._engine = ENGINES.get(choice.engine)(release.graph(self.name, self.variant), choice.threads)
        self._predictor = Predictor(released.spec, self._engine)

    def __enter__(self) -> LocalModel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()

    def answers(
        self, named: Iterable[tuple[str, Path | bytes | InvalidInput]], *, explain: bool = False
    ) -> Iterator[LocalAnswer]:
        """One answer for each (name, file or content), in order; what is an error already stays one."""
        waiting: list[tuple[str, Path | bytes | InvalidInput]] = []
        for one in named:
            waiting.append(one)
            if len(waiting) == _BATCH:
                yield from self._batch(waiting, explain)
                waiting = []
        yield from self._batch(waiting, explain)

    def _batch(self, named: list[tuple[str, Path | bytes | InvalidInput]], explain: bool) -> Iterator[LocalAnswer]:
        read = [(name, _read(source) if isinstance(source, Path) else source) for name, source in named]
        payloads = [found for _, found in read if isinstance(found, bytes)]
        try:
            answers = iter(self._answer(payloads, explain) if payloads else [])
        except InvalidInput:  # one of them; each alone, to know which
            answers = (self._one(payload, explain) for payload in payloads)
        for name, found in read:
            answer = next(answers) if isinstance(found, bytes) else found
            if isinstance(answer, InvalidInput):
                yield LocalAnswer(name, None, answer)
            else:
                yield LocalAnswer(name, answer[0], None, answer[1])

    def _one(self, payload: bytes, explain: bool) -> tuple[Prediction, Explanation | None] | InvalidInput:
        try:
            return self._answer([payload], explain)[0]
        except InvalidInput as error:
            return error

    def _answer(
        self, payloads: list[bytes], explain: bool
    ) -> list[tuple[Prediction, Explanation | None] | InvalidInput]:
        if not explain:
            return [(prediction, None) for prediction in self._predictor.predict(payloads)]
        logits = self._predictor.logits(payloads)
        inputs = TASKS.get(self.spec.task).encode(payloads, self.spec.settings)
        found: list[tuple[Prediction, Explanation | None] | InvalidInput] = []
        for prediction, row, scores, payload in zip(
            self._predictor.decode(logits), inputs, logits, payloads, strict=True
        ):
            label = self.spec.labels.index(prediction.label)
            found.append((prediction, explain_row(self._engine, row, scores, label, self.spec, over=payload)))
        return found


def _read(file: Path) -> bytes | UnreadableFile:
    try:
        return file.read_bytes()
    except OSError as error:
        return UnreadableFile(f"{file} cannot be read: {error.strerror or error}")
