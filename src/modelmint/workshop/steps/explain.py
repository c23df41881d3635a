"""Build verb ``explain``: whether the chosen candidate's heat maps tell the truth, what they cost and show.

On validation only: the test split is the judge's. A map that cannot be made is told in the statement, with its reason;
it stops no build.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modelmint.data.version import DatasetVersion
from modelmint.inference.encoded import encode_all
from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.explain import Explanation
from modelmint.inference.explain.explain import explain_row
from modelmint.inference.explain.heatmap import picture_png
from modelmint.inference.explain.masking import DRAWS, masking_test, mean_of
from modelmint.inference.predictor import Predictor
from modelmint.inference.types import Engine
from modelmint.kit.canonical import plain, pretty_json
from modelmint.kit.files import atomic_folder
from modelmint.kit.progress import Progress
from modelmint.tasks.types import ModelSpec, Prediction
from modelmint.workshop.records import EXPLANATIONS, graph_of, rounded
from modelmint.workshop.types import Candidate

CASES = "cases"
#: Pictures that the masking test reads at most, at least, and the engine's CPU seconds that it may take in between.
_MOST, _FEWEST, _SECONDS = 150, 24, 45.0
#: Rows run for one picture by occlusion and by the test itself.
_PASSES = 49 + 1 + DRAWS
#: Validation pictures among which the surest cases are looked for.
_SEARCHED = 2000
#: Surest right cases kept, and as many wrong ones.
_KEPT = 6


@dataclass(frozen=True, slots=True)
class ExplainInputs:
    """What is explained."""

    compressed: Path
    candidate: Candidate
    spec: ModelSpec
    dataset: DatasetVersion


def run(inputs: ExplainInputs, into: Path, progress: Progress) -> Mapping[str, Any]:
    """Write ``explanations.json`` (the statement's body) and ``cases/``; raises ``DamagedGraph``."""
    graph = graph_of(inputs.compressed, inputs.candidate)
    if inputs.candidate.timing is None or inputs.candidate.decision is None:
        raise ValueError(f"{inputs.candidate.key} was rejected; only measured candidates are explained")
    try:
        engine = ENGINES.get(inputs.candidate.engine)(graph, inputs.candidate.timing.threads)
        try:
            body = _explained(inputs, engine, into, progress)
        finally:
            engine.close()
    except Exception as error:  # a release sells without heat maps; their want is told
        shutil.rmtree(into / CASES, ignore_errors=True)
        body = {"failed": f"the explanations could not be measured: {error}"}
        progress.note(body["failed"])
    (into / EXPLANATIONS).write_text(pretty_json(body), encoding="utf-8")
    return {"failed": body.get("failed")}


def keep_cases(step: Path, workspace: Path, release: str, model: str) -> None:
    """Lay the surest cases of an explain step where the console and the report look for them."""
    cases, final = step / CASES, workspace / "cases" / release / model
    if cases.is_dir() and not final.exists():
        with atomic_folder(final) as folder:
            shutil.copytree(cases, folder, dirs_exist_ok=True)


def _explained(inputs: ExplainInputs, engine: Engine, into: Path, progress: Progress) -> dict[str, Any]:
    assert inputs.candidate.decision is not None  # noqa: S101 - asked by run; tells mypy so
    spec = dataclasses.replace(inputs.spec, decision=inputs.candidate.decision)
    places = _drawn(inputs.dataset.counts["val"], _SEARCHED)
    payloads = inputs.dataset.payloads_at("val", places)
    predictor = Predictor(spec, engine)
    logits = predictor.logits(payloads)
    predictions = predictor.decode(logits)
    tested = _drawn(len(places), _rows_for(inputs.candidate))
    rows = encode_all(spec, [payloads[place] for place in tested])
    labels = [spec.labels.index(predictions[place].label) for place in tested]
    explanations: list[Explanation] = []
    with progress.bar("explain on validation", len(tested)) as bar:
        for row, place, label in zip(rows, tested, labels, strict=True):
            explanations.append(explain_row(engine, row, logits[place], label, spec, over=payloads[place]))
            bar.advance()
    heats = [np.asarray(one.values) for one in explanations]
    masked = masking_test(engine, rows, logits[tested], labels, heats, spec)
    _write_cases(inputs, engine, spec, places, payloads, predictions, logits, into / CASES)
    first = explanations[0]
    found: dict[str, Any] = {
        "kind": first.kind,
        "grid": list(first.grid),
        "passes": first.passes,
        "extra_ms": rounded(plain(mean_of(np.asarray([one.ms for one in explanations])))),
        "masking": {
            **{name: rounded(plain(getattr(masked, name))) for name in ("hottest", "random", "difference")},
            "n": len(tested),
            "share": masked.share,
            "score": "log odds",
            "split": "val",
        },
        "mean_map": _mean(heats),
        "mean_map_by_label": {
            name: _mean([heat for heat, label in zip(heats, labels, strict=True) if spec.labels[label] == name])
            for name in spec.labels
            if spec.labels.index(name) in labels
        },
    }
    return found


def _drawn(count: int, most: int) -> list[int]:
    """At most ``most`` of ``count`` places, always the same ones."""
    return sorted(np.random.default_rng(0).permutation(count)[:most].tolist())


def _rows_for(candidate: Candidate) -> int:
    """As many pictures as fit the time, had each to be explained by occlusion."""
    assert candidate.timing is not None  # noqa: S101 - asked by run; tells mypy so
    each = max(candidate.timing.cpu_ms.value, 1e-3) * _PASSES / 1000
    return int(min(_MOST, max(_FEWEST, _SECONDS / each)))


def _mean(heats: Sequence[Any]) -> list[list[float]]:
    mean: list[list[float]] = np.mean(heats, axis=0).round(4).tolist()
    return mean


def _write_cases(
    inputs: ExplainInputs,
    engine: Engine,
    spec: ModelSpec,
    places: Sequence[int],
    payloads: Sequence[bytes],
    predictions: Sequence[Prediction],
    logits: Any,
    folder: Path,
) -> None:
    """The surest right and the surest wrong answers, with their pictures and maps."""
    names = [row.name for row in inputs.dataset.rows("val")]
    targets = inputs.dataset.targets("val")
    truths = [spec.labels[int(targets[place])] for place in places]
    order = sorted(range(len(places)), key=lambda at: (-predictions[at].probability, places[at]))
    right = [at for at in order if predictions[at].label == truths[at]][:_KEPT]
    wrong = [at for at in order if predictions[at].label != truths[at]][:_KEPT]
    folder.mkdir()
    cases = []
    for number, at in enumerate([*right, *wrong]):
        answer = predictions[at]
        encoded = encode_all(spec, [payloads[at]])[0]
        label = spec.labels.index(answer.label)
        found = explain_row(engine, encoded, logits[at], label, spec, over=payloads[at])
        (folder / f"{number}.png").write_bytes(picture_png(payloads[at]))
        (folder / f"{number}-heat.png").write_bytes(found.png or b"")
        cases.append(
            {
                "name": names[places[at]],
                "truth": truths[at],
                "label": answer.label,
                "probability": rounded(answer.probability),
                "right": answer.label == truths[at],
                "picture": f"{number}.png",
                "heat": f"{number}-heat.png",
                "values": [list(line) for line in found.values],
            }
        )
    (folder / "cases.json").write_text(json.dumps(cases, ensure_ascii=False, indent=1), encoding="utf-8")
