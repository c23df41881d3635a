"""Foreign load: the cores that other processes kept busy while something was measured."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Moment:
    """Clocks at one moment, in seconds: wall, busy time of the usable cores together, our own CPU time."""

    wall: float
    busy: float
    own: float


def moment() -> Moment:
    """The clocks now."""
    return Moment(time.perf_counter(), _busy(), time.process_time())


def foreign_load(start: Moment, end: Moment) -> float:
    """Cores busy with others' work between two moments, at least 0.

    The system counts busy time in ticks of 10 ms: spans under about half a second are coarse. Time that a
    hypervisor took away (steal) counts as others' work.
    """
    span = end.wall - start.wall
    if span <= 0:
        return 0.0
    return max(0.0, (end.busy - start.busy) - (end.own - start.own)) / span


def _busy() -> float:
    every = psutil.cpu_times(percpu=True)
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(len(every))
    total = 0.0
    for core in usable:
        if core < len(every):
            times = every[core]
            total += times.user + times.system + sum(getattr(times, name, 0.0) for name in _ALSO_BUSY)
    return total


_ALSO_BUSY = ("nice", "irq", "softirq", "steal")
