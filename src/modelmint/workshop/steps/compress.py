"""Build verb ``compress``: every candidate exported, scored on validation, timed against the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from modelmint.evaluation.calibrate import fit_decision
from modelmint.evaluation.judge import scorecard
from modelmint.evaluation.parity import Parity, compare
from modelmint.inference.encoded import encode_all
from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.measure import time_calls
from modelmint.inference.predictor import Predictor
from modelmint.inference.tune import tune_threads
from modelmint.inference.types import Engine, Timing
from modelmint.kit.arrays import AnyArray, FloatArray
from modelmint.kit.canonical import plain
from modelmint.kit.machine import this_machine
from modelmint.kit.progress import Progress
from modelmint.tasks.decision import positive_index, probabilities
from modelmint.tasks.types import DecisionRule, ModelSpec
from modelmint.venture.sections.compress import CompressSection
from modelmint.workshop.compression.carry import carry_rule
from modelmint.workshop.compression.crossfit import crossfitted_errors
from modelmint.workshop.compression.graphs import CompressInputs, make_graphs
from modelmint.workshop.compression.verdict import against_parent
from modelmint.workshop.records import ROWS, rounded, write_candidates
from modelmint.workshop.training.run import open_run
from modelmint.workshop.types import BASELINE, Candidate

#: Characters kept of what an engine says of a graph that it cannot run.
_REASON = 400


def run(inputs: CompressInputs, into: Path, progress: Progress) -> list[Candidate]:
    """Fill ``into`` with ``candidates.json``, ``graphs/*.onnx`` and ``rows.npz``.

    A recipe that fails, an engine that cannot open a graph, lost parity or a dearer call each make a rejected
    row. Raises ``ExportFailed`` where not even the float32 graph can be made.
    """
    graphs = make_graphs(inputs, into / "graphs", progress)
    spec = open_run(inputs.run).spec
    bench = _Bench(inputs, spec, into)
    with progress.bar("score on validation", len(graphs)) as bar:
        scored = []
        for candidate in graphs:
            scored.append(bench.score(candidate))
            bar.advance()
    progress.note("timing the candidates against each other")
    timed = bench.time(scored)
    limits = dict(inputs.variants)
    errors = bench.errors()
    final = [
        dataclasses.replace(
            _judged(candidate, timed, bench, limits.get(candidate.variant, CompressSection())),
            accuracy_drop=_drop(errors, candidate),
        )
        for candidate in timed
    ]
    write_candidates(into, final)
    np.savez_compressed(into / ROWS, **cast("dict[str, Any]", errors))
    return final


class _Bench:
    """Scores and times candidates on the validation split, all on the one path that serving uses."""

    def __init__(self, inputs: CompressInputs, spec: ModelSpec, folder: Path) -> None:
        self.inputs = inputs
        self.folder = folder
        self.spec = dataclasses.replace(spec, labels=tuple(inputs.dataset.labels))
        self.payloads: Sequence[bytes] = inputs.dataset.payloads("val")
        self.targets = inputs.dataset.targets("val")
        self.logits: dict[str, FloatArray] = {}
        #: Rule and logits of the first one scored, the network as it was trained: the others carry its rule over.
        self.origin: tuple[DecisionRule, FloatArray] | None = None

    def path(self, candidate: Candidate) -> Path:
        """What the candidate's engine opens."""
        return self.inputs.run if candidate.graph is None else self.folder / candidate.graph

    def open(self, candidate: Candidate, threads: int) -> Engine:
        return ENGINES.get(candidate.engine)(self.path(candidate), threads)

    def score(self, candidate: Candidate) -> Candidate:
        """The candidate with its decision rule and scores; a rejected row where its engine cannot run it."""
        if candidate.graph_digest is None:
            return candidate
        try:
            engine = self.open(candidate, this_machine().cores)
            try:
                logits = Predictor(self.spec, engine).logits(self.payloads)
            finally:
                engine.close()
            labels, positive = self.spec.labels, self.inputs.dataset.positive
            fitted = fit_decision(self.targets, logits, labels, positive, self.inputs.abstain)
            if self.origin is not None:
                rule, network_logits = self.origin
                fitted = carry_rule(rule, network_logits, fitted, logits, positive_index(labels, rule))
            decision = DecisionRule(**rounded(plain(fitted)))
            card = scorecard(self.targets, logits, labels, decision, "val")
        except Exception as error:  # a graph that an engine cannot run is a row, not the end of the build
            reason = " ".join(str(error).replace(f"{self.folder}/", "").split())[:_REASON]
            return dataclasses.replace(candidate, rejected=candidate.rejected or f"could not be run: {reason}")
        self.logits[candidate.key] = logits
        self.origin = self.origin or (decision, logits)
        return dataclasses.replace(candidate, decision=decision, scores=card.metrics)

    def time(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """All that could be scored, timed at batch 1 in one interleaved measurement, threads tuned before."""
        scored = [candidate for candidate in candidates if candidate.key in self.logits]
        one = encode_all(self.spec, self.payloads[:1])
        threads = {
            candidate.key: tune_threads(ENGINES.get(candidate.engine), self.path(candidate), one)
            for candidate in scored
        }
        timings: dict[str, Timing] = {}
        with ExitStack() as stack:
            calls = {}
            for candidate in scored:
                engine = self.open(candidate, threads[candidate.key])
                stack.callback(engine.close)
                calls[candidate.key] = partial(engine.run, one)
            timings = time_calls(calls, threads)
        return [dataclasses.replace(candidate, timing=timings.get(candidate.key)) for candidate in candidates]

    def parity(self, parent: Candidate, child: Candidate) -> Parity | None:
        """How far the child drifts from its parent, both read by the parent's rule."""
        if parent.decision is None or child.key not in self.logits:
            return None
        temperature = parent.decision.temperature
        return compare(
            probabilities(self.logits[parent.key], temperature),
            probabilities(self.logits[child.key], temperature),
            self.spec.labels,
            parent.decision,
        )

    def errors(self) -> dict[str, AnyArray]:
        """``wrong/``, ``open/`` and ``missed/KEY`` of each candidate that could be scored, cross-fitted, ``[rows]``."""
        found: dict[str, AnyArray] = {}
        network = next(iter(self.logits.values()), None)
        for key, logits in self.logits.items():
            if network is not None:
                labels, positive = self.spec.labels, self.inputs.dataset.positive
                errors = crossfitted_errors(self.targets, network, logits, labels, positive, self.inputs.abstain)
                found |= {f"wrong/{key}": errors.wrong, f"open/{key}": errors.held, f"missed/{key}": errors.missed}
        return found


def _drop(errors: Mapping[str, AnyArray], candidate: Candidate) -> float | None:
    """Share of rows that the candidate misses, left open or not, beyond those of the float32 graph; None: unknown."""
    baseline = next((key for key in errors if key.startswith(f"missed/{BASELINE}@")), None)
    if baseline is None or f"missed/{candidate.key}" not in errors:
        return None
    # Rounded where float noise ends: 0.97 - 0.965 is 0.005, not 0.0050000000000000044.
    return round(float(np.mean(errors[f"missed/{candidate.key}"]) - np.mean(errors[baseline])), 9)


def _judged(candidate: Candidate, all_: Sequence[Candidate], bench: _Bench, limits: CompressSection) -> Candidate:
    """The candidate held against its parent: parity first, then price."""
    parent = next((one for one in all_ if one.key == candidate.parent), None)
    if parent is None or candidate.scores is None:
        return candidate
    parity = bench.parity(parent, candidate)
    found = (
        None
        if parity is None
        else {
            "mean_difference": parity.mean_difference,
            "max_difference": parity.max_difference,
            "flip_share": parity.flip_share,
        }
    )
    reason = candidate.rejected or against_parent(parent, candidate, parity, limits)
    return dataclasses.replace(candidate, parity=found, rejected=reason)
