"""How many threads an engine should have for a graph on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from modelmint.inference.measure import time_calls
from modelmint.inference.types import EngineFactory, Timing
from modelmint.kit.arrays import AnyArray
from modelmint.kit.machine import this_machine

#: Another thread must make a call at least so much faster ...
FASTER = 0.90
#: ... and may make it at most so much dearer in CPU time than with the fewest threads.
DEARER = 1.10


def tune_threads(
    factory: EngineFactory,
    graph: Path,
    batch: AnyArray,
    candidates: Iterable[int] | None = None,
    *,
    rounds: int = 15,
) -> int:
    """The thread count to run ``graph`` with, among ``candidates`` (default: 1 to the usable cores).

    Cost is CPU time first: under load every core is busy anyway and a call's CPU time alone decides how many calls
    a machine sells. So the fewest threads win unless more of them make a call of ``batch`` at least 10 % faster
    (wall p50) while CPU time per call rises by at most 10 %.
    """
    counts = sorted(set(candidates if candidates is not None else range(1, this_machine().cores + 1)))
    if len(counts) == 1:
        return counts[0]
    with ExitStack() as stack:
        calls = {}
        for count in counts:
            engine = factory(graph, count)
            stack.callback(engine.close)
            calls[str(count)] = partial(engine.run, batch)
        found = time_calls(calls, {name: int(name) for name in calls}, rounds=rounds, repeats=1)
    return choose_threads({int(name): timing for name, timing in found.items()})


def choose_threads(timings: dict[int, Timing]) -> int:
    """The rule of ``tune_threads`` on timings by thread count."""
    counts = sorted(timings)
    chosen = counts[0]
    ceiling = timings[chosen].cpu_ms.value * DEARER
    for count in counts[1:]:
        faster = timings[count].p50_ms.value <= timings[chosen].p50_ms.value * FASTER
        if faster and timings[count].cpu_ms.value <= ceiling:
            chosen = count
    return chosen
