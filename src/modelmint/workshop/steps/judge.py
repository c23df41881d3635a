"""Build verb ``judge``: the test split, in one reading, by the candidates that may be released and their parent."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmint.data.version import DatasetVersion
from modelmint.evaluation.judge import scorecard
from modelmint.evaluation.plots import confusion_svg, reliability_svg, roc_svg
from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.predictor import Predictor
from modelmint.kit.canonical import plain, pretty_json
from modelmint.kit.progress import Progress
from modelmint.tasks.types import ModelSpec
from modelmint.workshop.records import VERDICT, graph_of, rounded
from modelmint.workshop.types import Candidate


@dataclass(frozen=True, slots=True)
class JudgeInputs:
    """Who is judged, and where readings of the test split are counted."""

    compressed: Path
    candidates: Sequence[Candidate]
    spec: ModelSpec
    dataset: DatasetVersion
    #: Names this reading; the same one counts once.
    reading: str
    log: Path


def run(inputs: JudgeInputs, into: Path, progress: Progress) -> Mapping[str, Any]:
    """Write ``verdict.json`` ({reads, cards by candidate}) and ``plots/CANDIDATE/*.svg``.

    All candidates are judged in one reading, so that a later change of price or demand, and with it another
    choice among them, needs no second look at the test split. Nothing is chosen by what is found here. Raises
    ``DamagedGraph``.
    """
    payloads, targets, reads = inputs.dataset.judge_test(inputs.reading, inputs.log)
    cards = {}
    with progress.bar("judge on the test split", len(inputs.candidates)) as bar:
        for candidate in inputs.candidates:
            if candidate.graph is None or candidate.decision is None or candidate.timing is None:
                raise ValueError(f"{candidate.key} was rejected; only measured candidates are judged")
            graph = graph_of(inputs.compressed, candidate)
            engine = ENGINES.get(candidate.engine)(graph, candidate.timing.threads)
            try:
                predictor = Predictor(dataclasses.replace(inputs.spec, decision=candidate.decision), engine)
                logits = predictor.logits(payloads)
            finally:
                engine.close()
            card = scorecard(targets, logits, inputs.spec.labels, candidate.decision, "test")
            cards[candidate.key] = rounded(plain(card))
            folder = into / "plots" / candidate.key
            folder.mkdir(parents=True)
            for name, draw in (("roc", roc_svg), ("reliability", reliability_svg), ("confusion", confusion_svg)):
                (folder / f"{name}.svg").write_text(draw(card), encoding="utf-8")
            bar.advance()
    (into / VERDICT).write_text(pretty_json({"reads": reads, "cards": cards}), encoding="utf-8")
    return {"reads": reads}
