"""Build verb ``adopt``: a model made elsewhere, in the place of training. Nothing is trained; no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from modelmint.data.version import DatasetVersion
from modelmint.inference.errors import BatchRefused, GraphRefused, RunFailed
from modelmint.inference.types import Engine
from modelmint.kit.arrays import AnyArray, FloatArray
from modelmint.kit.canonical import plain, pretty_json
from modelmint.kit.digest import digest_bytes
from modelmint.kit.errors import ModelmintError
from modelmint.kit.files import write_atomic
from modelmint.kit.progress import Progress
from modelmint.tasks.errors import BadOutputs
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop.adoption import proof, trial
from modelmint.workshop.adoption.batch import freed
from modelmint.workshop.adoption.ending import class_order, ending
from modelmint.workshop.adoption.ports import input_port, output_port
from modelmint.workshop.adoption.readings import others, possible
from modelmint.workshop.adoption.source import open_foreign
from modelmint.workshop.adoption.types import Ending, Foreign, InputPort, OutputPort, Reading, Trial
from modelmint.workshop.adoption.wrap import wrapped
from modelmint.workshop.errors import UnusableGraph
from modelmint.workshop.training.run import GRAPH, RUN, TIMING, open_run
from modelmint.workshop.training.types import TrainedRun

#: Rows on which the wrapped graph is held against the untouched one.
_PROVEN = 32
#: How far a row of probabilities may be from 1 in sum.
_SUM = 1e-3


@dataclass(frozen=True, slots=True)
class AdoptInputs:
    """All that adopting depends on."""

    dataset: DatasetVersion
    section: ModelSection
    #: Folder that ``base`` is relative to (the venture's).
    root: Path
    max_pixels: int


class _Ports(NamedTuple):
    foreign: Foreign
    source: InputPort
    output: OutputPort


def run(inputs: AdoptInputs, into: Path, progress: Progress) -> TrainedRun:
    """Write the wrapped graph and a description like a training's to ``into``.

    Raises ``UnreadableGraph`` and ``UnusableGraph``, which say what was expected and what to do.
    """
    labels = inputs.dataset.labels
    foreign = open_foreign((inputs.root / Path(inputs.section.base).expanduser()).resolve())
    ports = _Ports(foreign, input_port(foreign), output_port(foreign, len(labels), inputs.section.output_name))
    readings = possible(ports.source, inputs.section, inputs.dataset.channels == 1)
    side = readings[0].image_size
    samples = trial.draw(inputs.dataset, side, inputs.section.seed, inputs.section.task, inputs.max_pixels)
    work = _Adoption(inputs, ports, samples)
    progress.note(f"own model {foreign.path.name}: tried on {len(samples.payloads)} training pictures")
    chosen = work.choose(readings)
    facts = work.proven(chosen.reading)
    work.warn(chosen, len(readings) > 1)
    return _write(work, chosen.reading, facts, into)


class _Adoption:
    """One graph on its way into the house."""

    def __init__(self, inputs: AdoptInputs, ports: _Ports, samples: trial.Samples) -> None:
        self.inputs = inputs
        self.ports = ports
        self.samples = samples
        self.notes: list[str] = []
        self._engines: dict[tuple[str, bool], Engine] = {}
        self._ending: Ending | None = None

    def choose(self, readings: list[Reading]) -> Trial:
        """The reading that answers best; raises ``UnusableGraph`` where the graph runs with none."""
        trials, reasons = [], []
        for reading in readings:
            try:
                trials.append(self.try_(reading))
            except (RunFailed, BatchRefused, BadOutputs) as error:
                reasons.append(f"{reading.told}: {_first_line(error)}")
        finite = [one for one in trials if np.isfinite(one.loss)]
        if not finite:
            batch = self.ports.source.batch
            hint = f" It is fixed to batches of {batch}: export it with a free batch side." if batch else ""
            found = [f"{one.reading.told}: gives NaN or infinity" for one in trials]
            raise UnusableGraph(
                f"{self.ports.foreign.path.name} answers no training picture with finite numbers.{hint}",
                problems=[*reasons, *found],
            )
        chosen = trial.best(finite)
        if len(readings) > 1:
            self.notes.append(f"pictures are read as {trial.told(chosen)}{_stated_as(chosen.reading)}")
            rest = [one for one in trials if one is not chosen]
            self.notes.append("not as " + "; ".join(trial.told(one) for one in rest))
            if alike := [one.reading.told for one in rest if not trial.clearly_better(chosen, one)]:
                self.notes.append(
                    f"these pictures do not tell it from {', '.join(alike)}: state the one it was made for"
                )
        return chosen

    def try_(self, reading: Reading) -> Trial:
        """``reading`` on the training pictures."""
        return trial.judged(reading, self.logits(reading), self.samples.targets)

    def logits(self, reading: Reading) -> FloatArray:
        """Logits ``[rows, labels]`` of the training pictures."""
        return trial.outputs(self.engine(reading), self.samples.encoded(reading))

    def engine(self, reading: Reading) -> Engine:
        """The wrapped graph, opened; readings that differ in scale alone share it."""
        key = (reading.layout, reading.bgr)
        if key not in self._engines:
            self._engines[key] = self._opened(self.model(reading))
        return self._engines[key]

    def model(self, reading: Reading) -> Any:
        """The wrapped graph."""
        return freed(wrapped(self.ports.foreign, self.ports.source, reading, self.ending(reading)), self.ports.source)

    def _opened(self, model: Any) -> Engine:
        try:
            return trial.opened(model)
        except GraphRefused as error:
            reason = str(error.__cause__ or error).strip().splitlines()[0]
            raise UnusableGraph(
                f"{self.ports.foreign.path.name} cannot be run here: {reason}. Do: export it with the operators of "
                "ONNX alone, for an operator set that this onnxruntime knows"
            ) from error

    def ending(self, reading: Reading) -> Ending:
        """How the output becomes logits; where neither graph nor founder say, its values on ``reading`` do."""
        if self._ending is None:
            labels, stated = self.inputs.dataset.labels, self.inputs.section.output
            _fits(self.ports.output.width, tuple(labels))
            found = ending(self.ports.foreign, self.ports.output, tuple(labels), stated)
            self._ending = found or self._by_values(reading)
        return self._ending

    def _by_values(self, reading: Reading) -> Ending:
        """Rows of shares that sum to 1 are probabilities, all others logits."""
        name, labels = self.ports.output.name, tuple(self.inputs.dataset.labels)
        plain_ = freed(
            wrapped(self.ports.foreign, self.ports.source, reading, Ending(name, "logits")), self.ports.source
        )
        raw = trial.outputs(self._opened(plain_), self.samples.encoded(reading))
        _fits(raw.shape[1], labels)
        column = raw.shape[1] == 1
        shares = bool(np.isfinite(raw).all() and raw.min() >= 0 and raw.max() <= 1)
        sure = shares and (column or bool(np.abs(raw.sum(axis=1) - 1).max() <= _SUM))
        order = class_order(self.ports.output.classes, labels)
        return Ending(name, "probabilities" if sure else "logits", column=column, order=order)

    def proven(self, reading: Reading) -> dict[str, Any]:
        """Raises where the wrapped graph answers otherwise than the untouched one, or mixes rows."""
        encoded = self.samples.encoded(reading)[:_PROVEN]
        engine, found = self.engine(reading), self.ending(reading)
        logits = trial.outputs(engine, encoded)
        _fits(logits.shape[1], tuple(self.inputs.dataset.labels))
        proof.rows_apart(engine, encoded, logits)
        raw = proof.untouched(
            self.ports.foreign, self.ports.source, self.ports.output,
            proof.as_foreign(encoded, reading, self.ports.source.element),
        )  # fmt: skip
        self._check_values(raw, found)
        return {"difference": proof.prove(self.ports.foreign, proof.expected(raw, found), logits), "rows": len(encoded)}

    def _check_values(self, raw: AnyArray, found: Ending) -> None:
        shares = bool(raw.min() >= 0 and raw.max() <= 1 + _SUM)
        ones = bool(np.abs(raw.sum(axis=1) - 1).max() <= _SUM)
        if found.kind == "probabilities" and not shares:
            raise UnusableGraph(
                f'expected probabilities, found outputs from {raw.min():.3g} to {raw.max():.3g}. Do: output = "logits"'
            )
        if found.kind == "probabilities" and not found.column and not ones:
            self.notes.append(
                "its probabilities do not sum to 1 (one decision per label?): each is divided by their sum"
            )
        if self.inputs.section.output == "logits" and shares and ones:
            self.notes.append('output = "logits" is stated, and its rows look like probabilities: in [0, 1], sum 1')

    def warn(self, chosen: Trial, open_: bool) -> None:
        """Notes where another order of labels fits clearly better, or another reading than one that only guesses."""
        if trial.no_better_than_guessing(chosen, self.samples.targets):
            self._warn_of_guessing(chosen, open_)
        self._warn_of_order(chosen)

    def _warn_of_guessing(self, chosen: Trial, open_: bool) -> None:
        self.notes.append(
            f"{trial.told(chosen)} is no better than guessing: the pictures are read otherwise than in training, its "
            "labels have another order, or it is not for these pictures"
        )
        for reading in [] if open_ else others(self.ports.source, chosen.reading):
            try:
                other = self.try_(reading)
            except ModelmintError:
                continue
            if trial.clearly_better(other, chosen):
                self.notes.append(f"another reading fits far better: {trial.told(other)}{_stated_as(reading)}")

    def _warn_of_order(self, chosen: Trial) -> None:
        found = trial.shuffled(self.logits(chosen.reading), self.samples.targets)
        if found is None:
            return
        columns, hits = found
        other = Trial(chosen.reading, hits, chosen.rows, 0.0)
        if trial.clearly_better(other, chosen) and not trial.no_better_than_guessing(other, self.samples.targets):
            labels = self.inputs.dataset.labels
            order = [labels[columns.index(place)] for place in range(len(labels))]
            self.notes.append(
                f"its outputs seem to stand in another order: data.labels = {list(order)} would answer "
                f"{hits} of {chosen.rows} training pictures right, not {chosen.hits}"
            )


def _stated_as(reading: Reading) -> str:
    """How the venture file would say it."""
    if reading.scale == "stated":
        return ""
    return f'. To state it: layout = "{reading.layout}", scale = "{reading.scale}"'


def _fits(width: int | None, labels: tuple[str, ...]) -> None:
    if width is None or width == len(labels) or (width == 1 and len(labels) == 2):
        return
    raise UnusableGraph(
        f"the graph gives {width} value{'' if width == 1 else 's'} a picture, the venture has {len(labels)} labels: "
        f"{', '.join(labels)}. Do: let data.labels name what each output means, in their order"
    )


def _first_line(error: ModelmintError) -> str:
    return error.message.splitlines()[0][:300]


def _write(work: _Adoption, reading: Reading, facts: Mapping[str, Any], into: Path) -> TrainedRun:
    foreign, inputs = work.ports.foreign, work.inputs
    content = work.model(reading).SerializeToString(deterministic=True)
    settings = trial.settings(reading, inputs.section.task, inputs.max_pixels)
    source = {
        "kind": "own model",
        "file": foreign.path.name,
        "sha256": dict(foreign.files),
        **proof.facts(foreign.model),
        "reading": plain(reading),
        "output": plain(work.ending(reading)),
    }
    described = {
        "schema": 1,
        "spec": {"task": inputs.section.task, "settings": plain(settings), "labels": list(inputs.dataset.labels)},
        "backbone": {
            "name": foreign.path.name,
            "pretrained": True,
            "licence": inputs.section.licence,
            "source": source,
            "architecture": {"kind": "onnx", "precision": proof.precision(foreign)},
        },
        "plan": {"method": "own", "hidden": 0},
        "layout": {},
        "dataset": inputs.dataset.digest,
        "history": [],
        "kept_epoch": 0,
        "weights": digest_bytes(content),
        "proof": dict(facts),
        "notes": work.notes,
    }
    into.mkdir(parents=True, exist_ok=True)
    write_atomic(into / GRAPH, content)
    write_atomic(into / TIMING, pretty_json({"train_seconds": 0.0}))
    write_atomic(into / RUN, pretty_json(described))  # last: a folder with it is whole
    return open_run(into)
