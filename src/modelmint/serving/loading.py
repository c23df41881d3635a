"""From a release on the shelf to a lane that serves: verified, opened, warmed up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from modelmint.data.pictures import encode_png
from modelmint.inference.engines.registry import ENGINES, available
from modelmint.inference.types import Engine
from modelmint.kit.machine import this_machine
from modelmint.releases.bundle import Release
from modelmint.releases.errors import DamagedRelease
from modelmint.releases.verify import verify
from modelmint.serving.cpu import WorkClock, native_threads, new_helpers
from modelmint.serving.lane import Lane
from modelmint.serving.types import EngineChoice, HostLimits, Target
from modelmint.tasks.registry import TASKS
from modelmint.tasks.types import ModelSpec

FALLBACK = EngineChoice("onnxruntime", 1)


def engine_choice(release: Release, model: str, variant: str) -> EngineChoice:
    """What was measured cheapest on this machine, from the newest cost statement; else onnxruntime, one thread.

    A cost body speaks of one model (``engine``, ``threads``) or of several (``models.NAME``), and may tell
    variants apart (``variants.NAME``). An engine that is not installed here falls back.
    """
    statement = release.newest("cost", this_machine().fingerprint)
    if statement is None:
        return FALLBACK
    body: Mapping[str, Any] = statement.body
    for group, name in (("models", model), ("variants", variant)):
        inner = body.get(group)
        if isinstance(inner, Mapping) and isinstance(inner.get(name), Mapping):
            body = inner[name]
    engine, threads = body.get("engine"), body.get("threads")
    if engine not in available() or not isinstance(threads, int) or threads < 1:
        return FALLBACK
    return EngineChoice(str(engine), threads)


def open_lane(release: Release, target: Target, limits: HostLimits, wanted: EngineChoice | None) -> Lane:
    """A warmed-up lane for ``target``.

    Raises ``DamagedRelease`` where a byte of the bundle changed, ``UnknownModel`` where the release lacks the
    model or the variant, ``MissingExtra`` where the wanted engine is not installed.
    """
    damage = verify(release.path)
    if damage:
        raise DamagedRelease(release.id, damage)
    released = release.model(target.model)
    variant = target.variant or released.default
    choice = wanted or engine_choice(release, target.model, variant)
    before = native_threads()
    engine = ENGINES.get(choice.engine)(release.graph(target.model, variant), choice.threads)
    try:
        _warm_up(engine, released.spec, limits.max_batch)
    except BaseException:
        engine.close()
        raise
    return Lane(
        spec=released.spec,
        task=TASKS.get(released.spec.task),
        engine=engine,
        clock=WorkClock(new_helpers(before), choice.threads),
        release=release.id,
        variant=variant,
        use=release.manifest.venture.get("use", ""),
        max_batch=limits.max_batch,
        max_queue=limits.max_queue,
    )


def _warm_up(engine: Engine, spec: ModelSpec, max_batch: int) -> None:
    """Run the smallest and the largest batch, so that no caller pays for memory and threads made on first use."""
    example = _EXAMPLES.get(spec.task)
    if example is None:
        return
    for size in (1, max_batch):
        engine.run(TASKS.get(spec.task).encode([example] * size, spec.settings))


#: A payload of each built-in task to warm up with; a task that is not here starts cold.
_EXAMPLES: dict[str, bytes] = {"image-classification": encode_png(np.full((8, 8), 128, dtype=np.uint8))}
