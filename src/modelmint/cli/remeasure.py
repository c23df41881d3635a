"""A release timed again on this machine: every variant on every engine, then the real server under load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from modelmint.api.candidate import measure_release
from modelmint.cli.datasets import frozen
from modelmint.cli.errors import NothingBuilt
from modelmint.data.pictures import encode_png
from modelmint.inference.engines.registry import ENGINES, available
from modelmint.inference.measure import time_calls
from modelmint.inference.tune import tune_threads
from modelmint.kit.arrays import AnyArray
from modelmint.kit.canonical import plain
from modelmint.kit.machine import this_machine
from modelmint.kit.progress import Progress
from modelmint.releases.bundle import Release
from modelmint.tasks.registry import TASKS

#: Pictures that the load test sends round and round.
SAMPLES = 64


def remeasure(
    release: Release, workspace: Path, p99_limit_ms: float | None, seconds: float, progress: Progress
) -> dict[str, Any]:
    """Plain JSON: per model the timings of every variant and engine, and the load test of the default one.

    ``seconds`` is the length of one level of the load test.
    """
    payloads, told = samples(release, workspace)
    models = {}
    for name, model in release.manifest.models.items():
        progress.step(f"time {name}")
        batch = TASKS.get(model.spec.task).encode(payloads[:1], model.spec.settings)
        timings = _timings(release, name, batch)
        mine = [one for one in timings if one["variant"] == model.default]
        best = min(mine, key=lambda one: float(one["cpu_ms"]["value"]))
        progress.step(f"load test {name} on {best['engine']}, through the real server")
        load = measure_release(
            release.path, best["engine"], best["threads"], payloads, p99_limit_ms, model=name, seconds=seconds
        )
        models[name] = {
            "variant": model.default,
            "engine": best["engine"],
            "threads": best["threads"],
            "timings": timings,
            "load": plain(load),
        }
    return {"release": release.id, "machine": plain(this_machine()), "payloads": told, "models": models}


def statement_body(found: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a cost statement that a bench can know: engine, threads, rate. Prices stay with ``build``."""
    models = {
        name: {
            "engine": one["engine"],
            "threads": one["threads"],
            "variant": one["variant"],
            "calls_per_second": (one["load"]["best"] or {}).get("calls_per_second"),
            "server_cpu_ms": (one["load"]["best"] or {}).get("server_cpu_ms"),
            "load_test": one["load"],
        }
        for name, one in found["models"].items()
    }
    return {"models": models, "payloads": found["payloads"]}


def samples(release: Release, workspace: Path) -> tuple[list[bytes], str]:
    """Pictures to send: of the release's own validation split where it is here, else seeded noise; and which."""
    try:
        dataset = frozen(workspace, str(release.manifest.dataset.get("digest", "")))
    except NothingBuilt:
        sides = [int(model.spec.settings.get("image_size", 64)) for model in release.manifest.models.values()]
        return [_noise(max(sides, default=64), seed) for seed in range(SAMPLES)], "seeded noise"
    pictures = dataset.payloads("val")
    chosen = np.random.default_rng(0).permutation(len(pictures))[:SAMPLES]
    return [pictures[index] for index in sorted(chosen.tolist())], "validation pictures"


def _noise(side: int, seed: int) -> bytes:
    return encode_png(np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8))


def _timings(release: Release, name: str, batch: AnyArray) -> list[dict[str, Any]]:
    """Every variant on every engine, interleaved; one picture a call, encode and decode not included."""
    model = release.manifest.models[name]
    keys = [(variant, engine) for variant in model.variants for engine in available()]
    with ExitStack() as opened:
        calls, threads = {}, {}
        for variant, engine in keys:
            graph, key = release.graph(name, variant), f"{variant}@{engine}"
            threads[key] = tune_threads(ENGINES.get(engine), graph, batch)
            running = ENGINES.get(engine)(graph, threads[key])
            opened.callback(running.close)
            calls[key] = partial(running.run, batch)
        timings = time_calls(calls, threads)
    return [{"variant": variant, "engine": engine, **plain(timings[f"{variant}@{engine}"])} for variant, engine in keys]


def rows_of(found: Mapping[str, Any]) -> Sequence[tuple[str, ...]]:
    """The timings as table rows: model, variant, engine, threads, CPU ms, p50, p99."""
    return [
        (
            name, one["variant"], one["engine"], str(one["threads"]), f"{one['cpu_ms']['value']:.3f}",
            f"{one['p50_ms']['value']:.3f}", f"{one['p99_ms']['value']:.3f}", "disturbed" if one["disturbed"] else "",
        )
        for name, model in found["models"].items()
        for one in model["timings"]
    ]  # fmt: skip
