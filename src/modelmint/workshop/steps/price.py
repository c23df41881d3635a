"""Build verb ``price``: each surviving candidate, wrapped as a real release, load-tested through the real server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modelmint.data.version import DatasetVersion
from modelmint.kit.canonical import plain, pretty_json
from modelmint.kit.digest import digest_bytes
from modelmint.kit.errors import ModelmintError
from modelmint.kit.progress import Progress
from modelmint.releases.bundle import write_release
from modelmint.releases.manifest import SCHEMA
from modelmint.releases.types import Manifest
from modelmint.serving.types import LoadResult, LoadTestRequest
from modelmint.tasks.types import ModelSpec
from modelmint.workshop.cache import remember
from modelmint.workshop.records import LOADS, graph_of
from modelmint.workshop.steps.release import graph_path, released_model
from modelmint.workshop.types import Candidate

LoadTest = Callable[[LoadTestRequest], LoadResult]
#: Pictures that the load test sends round and round.
_SAMPLES = 64
#: Cores that other programs may keep busy meanwhile; above it a load test is repeated and the quietest is kept.
LOAD_LIMIT = 0.3
_TRIES = 3


@dataclass(frozen=True, slots=True)
class PriceInputs:
    """What is load-tested, and with what."""

    compressed: Path
    candidates: Sequence[Candidate]
    spec: ModelSpec
    dataset: DatasetVersion
    model: str
    backbone: str
    venture: Mapping[str, str]
    venture_text: str
    p99_limit_ms: float | None
    load_test: LoadTest
    #: Keeps the results of finished load tests when the build is interrupted.
    scratch: Path


def run(inputs: PriceInputs, into: Path, progress: Progress) -> None:
    """Write ``loads.json``: candidate -> load test, or ``{"error": why it could not be tested}``.

    Raises ``DamagedGraph`` where a graph is not the one that was judged.
    """
    payloads = _samples(inputs.dataset)
    found: dict[str, Any] = {}
    with progress.bar("load test through the server", len(inputs.candidates)) as bar:
        for candidate in inputs.candidates:
            kept = inputs.scratch / f"{candidate.key}.json"
            if kept.exists():
                found[candidate.key] = json.loads(kept.read_text(encoding="utf-8"))
            else:
                found[candidate.key] = _tested(inputs, candidate, payloads)
                remember(kept, found[candidate.key])
            bar.advance(1, candidate=candidate.key)
    (into / LOADS).write_text(pretty_json(found), encoding="utf-8")


def _samples(dataset: DatasetVersion) -> tuple[bytes, ...]:
    payloads = dataset.payloads("val")
    chosen = np.random.default_rng(0).permutation(len(payloads))[:_SAMPLES]
    return tuple(payloads[place] for place in sorted(chosen.tolist()))


def _tested(inputs: PriceInputs, candidate: Candidate, payloads: tuple[bytes, ...]) -> dict[str, Any]:
    if candidate.graph is None or candidate.timing is None:
        return {"error": "it was never measured"}
    shelf = inputs.scratch / "releases" / digest_bytes(candidate.key.encode())[:12]
    files = _files(inputs, candidate)
    try:
        release = write_release(shelf, _manifest(inputs, candidate), files)
        request = LoadTestRequest(
            release=release.path,
            engine=candidate.engine,
            threads=candidate.timing.threads,
            payloads=payloads,
            p99_limit_ms=inputs.p99_limit_ms,
        )
        result: dict[str, Any] = plain(_quietest(inputs.load_test, request))
    except ModelmintError as error:
        return {"error": f"load test failed: {error.message}"}
    finally:
        shutil.rmtree(shelf, ignore_errors=True)
    return result


def _quietest(load_test: LoadTest, request: LoadTestRequest) -> LoadResult:
    """A load test on a quiet machine, or the quietest of a few; ``load`` tells how quiet it was."""
    results: list[LoadResult] = []
    while len(results) < _TRIES and (not results or results[-1].load > LOAD_LIMIT):
        results.append(load_test(request))
    return min(results, key=lambda result: result.load)


def _manifest(inputs: PriceInputs, candidate: Candidate) -> Manifest:
    model = released_model(inputs.model, candidate, inputs.spec, inputs.backbone, test_reads=0)
    return Manifest(
        schema=SCHEMA,
        venture=inputs.venture,
        models={inputs.model: model},
        dataset={"digest": inputs.dataset.digest},
        lineage={"candidate": candidate.key},
        licences={},
        waivers={},
        files={},
    )


def _files(inputs: PriceInputs, candidate: Candidate) -> dict[str, Path | bytes]:
    graph = graph_of(inputs.compressed, candidate)
    return {graph_path(inputs.model, candidate): graph, "venture.toml": inputs.venture_text.encode()}
