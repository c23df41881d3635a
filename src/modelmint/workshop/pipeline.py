"""``build``: prepare, train or adopt, compress, judge, price, release. Only what changed is done again.

No torch is imported here: a build with nothing changed reads digests and JSON, and is over in a second or two.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelmint.data.freeze import source_digest as data_digest
from modelmint.data.reviews import lay_shift
from modelmint.data.version import DatasetVersion
from modelmint.evaluation.gates import blocking, table
from modelmint.kit.canonical import plain
from modelmint.kit.clock import Clock
from modelmint.kit.progress import Progress
from modelmint.releases.shelf import Shelf
from modelmint.releases.sign import KEY_FILE
from modelmint.venture.load import LoadedVenture
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop import digests
from modelmint.workshop.appraise import Appraisal, ModelWork, appraise
from modelmint.workshop.cache import Done, StepCache, build_lock
from modelmint.workshop.errors import GateFailed
from modelmint.workshop.records import read_candidates
from modelmint.workshop.report import BuildReport, model_parts, model_report
from modelmint.workshop.steps.explain import keep_cases
from modelmint.workshop.steps.price import LoadTest
from modelmint.workshop.training.run import open_run
from modelmint.workshop.types import Candidate

#: ``adopt`` stands for ``train`` where a model was made elsewhere.
STEPS = ("prepare", "train", "adopt", "compress", "judge", "price", "explain", "release")


def build(
    venture: LoadedVenture,
    workspace: Path,
    progress: Progress,
    load_test: LoadTest,
    clock: Clock,
    *,
    waive: Mapping[str, str] | None = None,
    fresh: bool = False,
) -> BuildReport:
    """Build every model of ``venture`` into one release on the shelf of ``workspace``.

    ``load_test`` starts the real server on a candidate; ``waive`` adds waivers (gate -> reason) to the file's;
    ``fresh`` forgets finished steps first. Interrupted anywhere, the next build goes on. Raises ``GateFailed``
    with the table of wanted and found (then nothing is released), ``NothingForSale``, ``BuildRunning``, and
    what reading data and training raise.
    """
    with build_lock(workspace):
        return _Build(_with_waivers(venture, waive or {}), workspace, progress, load_test, clock).run(fresh)


def _with_waivers(venture: LoadedVenture, waive: Mapping[str, str]) -> LoadedVenture:
    if not waive:
        return venture
    gates = venture.file.gates
    merged = gates.model_copy(update={"waive": {**gates.waive, **waive}})
    return dataclasses.replace(venture, file=venture.file.model_copy(update={"gates": merged}))


class _Build:
    """One build: the cache, what each step took, and the models one after the other."""

    def __init__(
        self, venture: LoadedVenture, workspace: Path, progress: Progress, load_test: LoadTest, clock: Clock
    ) -> None:
        self.venture = venture
        self.workspace = workspace
        self.progress = progress
        self.load_test = load_test
        self.clock = clock
        self.cache = StepCache(workspace / "steps", progress)
        own = [section.own for section in venture.file.all_models().values()]
        idle = {"train": all(own), "adopt": not any(own)}
        self.steps = tuple(step for step in STEPS if not idle.get(step))
        self.seconds = dict.fromkeys(self.steps, 0.0)
        self.cached = dict.fromkeys(self.steps, True)

    def run(self, fresh: bool) -> BuildReport:
        self.cache.sweep()
        if fresh:
            shutil.rmtree(self.cache.root, ignore_errors=True)
        dataset = self._prepare()
        works = [self._model(name, section, dataset) for name, section in self.venture.file.all_models().items()]
        appraisals = [appraise(self.venture, work, len(works)) for work in works]
        self._gates(works, appraisals)
        explained = [self._explain(work, found) for work, found in zip(works, appraisals, strict=True)]
        release_id = self._release(dataset, works, appraisals, explained)
        return BuildReport(
            release_id=release_id,
            path=self.workspace / "releases" / release_id,
            dataset=dataset,
            models={work.name: model_report(work, found) for work, found in zip(works, appraisals, strict=True)},
            seconds=self.seconds,
            cached=tuple(step for step in self.steps if self.cached[step]),
        )

    def _step(self, step: str, inputs: Mapping[str, Any], work: Any) -> Done:
        done = self.cache.run(step, inputs, work)
        self.seconds[step] = round(self.seconds[step] + done.seconds, 3)
        self.cached[step] = self.cached[step] and done.cached
        return done

    def _prepare(self) -> DatasetVersion:
        section, root = self.venture.file.data, self.venture.folder
        source = data_digest(section, root, self.workspace / "stamps.json")

        def work(folder: Path, _: str) -> Mapping[str, Any]:
            from modelmint.workshop.steps import prepare

            return {"dataset": prepare.run(section, root, folder, self.progress).digest}

        dataset = DatasetVersion.open(self._step("prepare", digests.prepare(section, source), work).folder)
        lay_shift(self.workspace, dataset)
        return dataset

    def _model(self, name: str, section: ModelSection, dataset: DatasetVersion) -> ModelWork:
        trained = open_run((self._adopt if section.own else self._train)(section, dataset).folder)
        compressed = self._compress(section, dataset, trained.folder, trained.digest)
        work = ModelWork(
            name=name,
            section=section,
            dataset=dataset,
            trained=trained,
            compressed=compressed.folder,
            candidates=tuple(read_candidates(compressed.folder)),
        )
        judged = self._judge(work)
        priced = self._price(work)
        return dataclasses.replace(work, judged=judged.folder, priced=priced.folder)

    def _train(self, section: ModelSection, dataset: DatasetVersion) -> Done:
        def work(folder: Path, digest: str) -> Mapping[str, Any]:
            from modelmint.workshop.steps import train

            scratch = self.cache.scratch("train", digest)
            inputs = train.TrainInputs(dataset, section, self.venture.folder, scratch, max_pixels=max_pixels)
            return {"run": train.run(inputs, folder, self.progress).digest}

        max_pixels = self.venture.file.data.max_pixels
        done = self._step("train", digests.train(section, dataset.digest, self.venture.folder, max_pixels), work)
        self.cache.clean("train", done.digest)
        return done

    def _adopt(self, section: ModelSection, dataset: DatasetVersion) -> Done:
        root, max_pixels = self.venture.folder, self.venture.file.data.max_pixels

        def work(folder: Path, _: str) -> Mapping[str, Any]:
            from modelmint.workshop.steps import adopt

            inputs = adopt.AdoptInputs(dataset, section, root, max_pixels)
            return {"run": adopt.run(inputs, folder, self.progress).digest}

        done = self._step("adopt", digests.adopt(section, dataset.digest, root, max_pixels), work)
        for note in open_run(done.folder).notes:  # of a cached step, too: a warning is not over when it was read once
            self.progress.note(note)
        return done

    def _compress(self, section: ModelSection, dataset: DatasetVersion, run: Path, run_digest: str) -> Done:
        variants = dict(section.variants) or {"default": self.venture.file.compress}

        def work(folder: Path, _: str) -> Mapping[str, Any]:
            from modelmint.workshop.compression.graphs import CompressInputs
            from modelmint.workshop.steps import compress

            inputs = CompressInputs(run, dataset, variants, section.abstain, section.seed)
            found = compress.run(inputs, folder, self.progress)
            return {"candidates": {one.key: one.rejected for one in found}}

        return self._step("compress", digests.compress(run_digest, dataset.digest, variants, section), work)

    def _judge(self, work: ModelWork) -> Done:
        candidates = work.for_sale() + [one for one in work.baselines() if one not in work.for_sale()]
        log = self.workspace / "test_reads" / f"{work.dataset.digest}.jsonl"

        def judge_(folder: Path, digest: str) -> Mapping[str, Any]:
            from modelmint.workshop.steps import judge

            inputs = judge.JudgeInputs(work.compressed, candidates, work.trained.spec, work.dataset, digest, log)
            return judge.run(inputs, folder, self.progress)

        return self._step("judge", digests.judge(candidates, work.trained.spec, work.dataset.digest), judge_)

    def _price(self, work: ModelWork) -> Done:
        limit = p99_limit(self.venture)
        candidates: list[Candidate] = work.for_sale()

        def price_(folder: Path, digest: str) -> Mapping[str, Any]:
            from modelmint.workshop.steps import price
            from modelmint.workshop.steps.release import venture_facts

            wanted = price.PriceInputs(
                compressed=work.compressed, candidates=candidates, spec=work.trained.spec, dataset=work.dataset,
                model=work.name, backbone=str(work.trained.backbone["name"]), venture=venture_facts(self.venture),
                venture_text=self.venture.text, p99_limit_ms=limit, load_test=self.load_test,
                scratch=self.cache.scratch("price", digest),
            )  # fmt: skip
            price.run(wanted, folder, self.progress)
            return {"p99_limit_ms": limit}

        done = self._step(
            "price", digests.price(candidates, work.trained.spec, self.venture.file.serving, limit), price_
        )
        self.cache.clean("price", done.digest)
        return done

    def _explain(self, work: ModelWork, found: Appraisal) -> Path:
        def explain_(folder: Path, _: str) -> Mapping[str, Any]:
            from modelmint.workshop.steps import explain

            wanted = explain.ExplainInputs(work.compressed, found.chosen, work.trained.spec, work.dataset)
            return explain.run(wanted, folder, self.progress)

        inputs = digests.explain(found.chosen, work.trained.spec, work.dataset.digest)
        return self._step("explain", inputs, explain_).folder

    def _gates(self, works: list[ModelWork], appraisals: list[Appraisal]) -> None:
        failed = [gate for found in appraisals for gate in blocking(found.gates)]
        if not failed:
            return
        several = len(works) > 1
        told = [
            (f"{work.name}, {found.chosen.key}:\n" if several else "") + table(found.gates)
            for work, found in zip(works, appraisals, strict=True)
        ]
        raise GateFailed(
            f"{len(failed)} gate{'' if len(failed) == 1 else 's'} failed, so nothing is released. Improve the model, "
            "change the gate, or waive it with a reason\n" + "\n".join(told),
            details={
                "gates": plain([gate for found in appraisals for gate in found.gates]),
                "models": {work.name: model_report(work, found) for work, found in zip(works, appraisals, strict=True)},
            },
        )

    def _release(
        self, dataset: DatasetVersion, works: list[ModelWork], appraisals: list[Appraisal], explained: list[Path]
    ) -> str:
        shelf = Shelf(self.workspace / "releases")
        parts = [model_parts(*given) for given in zip(works, appraisals, explained, strict=True)]
        inputs = digests.release(self.venture, dataset.digest, parts)

        def release_(_: Path, __: str) -> Mapping[str, Any]:
            from modelmint.workshop.steps import release

            keyfile = self.workspace / "keys" / KEY_FILE
            return {"release": release.run(self.venture, dataset, parts, shelf.root, keyfile, self.clock).id}

        done = self._step("release", inputs, release_)
        if done.facts["release"] not in shelf.ids():  # taken off the shelf meanwhile
            shutil.rmtree(done.folder)
            done = self._step("release", inputs, release_)
        for work, step in zip(works, explained, strict=True):
            keep_cases(step, self.workspace, str(done.facts["release"]), work.name)
        return str(done.facts["release"])


def p99_limit(venture: LoadedVenture) -> float | None:
    """Milliseconds that the venture's ``p99_ms`` gate allows; None where it sets no upper bound."""
    gate = venture.file.gates.p99_ms
    return gate.bound if gate is not None and gate.comparison in ("<=", "<") else None
