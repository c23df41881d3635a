"""Honest timing: CPU time first, interleaved, with intervals, and with the load of others beside it.

Candidates take turns in short blocks, in an order that moves on every round, so that a slow minute of the machine
falls on all of them. The first call of a block is not counted: it refills caches and lets the threads of the
candidate before come to rest. CPU time is that of the whole process, so helper threads are paid for too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from modelmint.inference.errors import NothingToTime
from modelmint.inference.load import foreign_load, moment
from modelmint.inference.quantiles import block_quantile, quantile
from modelmint.inference.types import Timing

Call = Callable[[], object]

#: Wall time that one block of calls should take; long enough for the clocks, short enough to interleave finely.
_BLOCK_SECONDS = 0.04
_SHORTEST_BLOCK, _LONGEST_BLOCK = 2, 200


@dataclass(slots=True)
class _Samples:
    """Milliseconds, block by block: CPU per call, and the wall time of each call."""

    cpu: list[float] = field(default_factory=list)
    wall: list[list[float]] = field(default_factory=list)


def time_calls(
    calls: Mapping[str, Call],
    threads: Mapping[str, int],
    *,
    rounds: int = 40,
    warm_up: int = 3,
    repeats: int = 3,
    load_limit: float = 0.2,
    pause_seconds: float = 0.5,
) -> dict[str, Timing]:
    """Time every call against the others; ``threads`` is recorded in the answer and changes nothing.

    ``rounds`` blocks a call (n of ``cpu_ms``), each of as many calls as fit 40 ms, 2 at least (n of ``p50_ms`` and
    ``p99_ms`` is the calls together). While others kept more than ``load_limit`` cores busy, the whole
    measurement is repeated up to ``repeats`` times and the quietest is kept; ``disturbed`` says that even that one
    was above the limit. Nothing else may work in this process meanwhile. Raises ``NothingToTime``, and whatever
    a call raises.
    """
    if not calls or rounds < 1 or repeats < 1:
        raise NothingToTime(
            f"expected at least one call, one round and one repeat; found {len(calls)}, {rounds}, {repeats}"
        )
    blocks = {name: _warm(call, warm_up) for name, call in calls.items()}
    best: dict[str, _Samples] = {}
    quietest = float("inf")
    for attempt in range(repeats):
        if attempt:
            time.sleep(pause_seconds)
        samples, load = _interleaved(calls, blocks, rounds)
        if load < quietest:
            best, quietest = samples, load
        if quietest <= load_limit:
            break
    return {
        name: Timing(
            cpu_ms=quantile(found.cpu, 0.5),
            p50_ms=block_quantile(found.wall, 0.5),
            p99_ms=block_quantile(found.wall, 0.99),
            threads=threads.get(name, 1),
            load=round(quietest, 3),
            disturbed=quietest > load_limit,
        )
        for name, found in best.items()
    }


def _warm(call: Call, warm_up: int) -> int:
    """Warm ``call`` up; how many of it make a block."""
    once = float("inf")
    for _ in range(max(1, warm_up)):
        start = time.perf_counter()
        call()
        once = min(once, time.perf_counter() - start)  # the least: a call that had to wait says nothing of its length
    once = max(once, 1e-9)
    return max(_SHORTEST_BLOCK, min(_LONGEST_BLOCK, round(_BLOCK_SECONDS / once)))


def _interleaved(
    calls: Mapping[str, Call], blocks: Mapping[str, int], rounds: int
) -> tuple[dict[str, _Samples], float]:
    samples = {name: _Samples() for name in calls}
    names = list(calls)
    before = moment()
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            _block(calls[name], blocks[name], samples[name])
    return samples, foreign_load(before, moment())


def _block(call: Call, count: int, into: _Samples) -> None:
    call()
    wall: list[float] = []
    clock = time.perf_counter
    cpu_start = time.process_time()
    for _ in range(count):
        start = clock()
        call()
        wall.append((clock() - start) * 1000)
    into.cpu.append((time.process_time() - cpu_start) * 1000 / count)
    into.wall.append(wall)
