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
    """Share of the peak rate at ``step`` (from 0) of ``total``: a linear rise over the share ``warmup``, then decay."""
    rising = max(1, round(warmup * total)) if warmup else 0
    if step < rising:
        return (step + 1) / rising
    return SCHEDULES[schedule]((step - rising) / max(1, total - rising))
