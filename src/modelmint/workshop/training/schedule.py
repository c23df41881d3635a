"""Learning-rate schedules as pure functions of the step, so that resuming needs no schedule state."""

from __future__ import annotations

import math
from collections.abc import Callable

SCHEDULES: dict[str, Callable[[float], float]] = {
    # Loshchilov and Hutter 2017, one cycle without restarts
    "cosine": lambda done: 0.5 * (1 + math.cos(math.pi * done)),
    "linear": lambda done: 1 - done,
    "constant": lambda done: 1.0,
}


def rate_factor(schedule: str, step: int, total: int, warmup: float) -> float:
    """Share of the peak rate at ``step`` of ``total``: rises linearly over ``warmup`` of them, then decays."""
    rise = min(1.0, (step + 1) / max(1.0, warmup * total))
    return rise * SCHEDULES[schedule](step / max(1, total))
