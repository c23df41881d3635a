"""A lane with an engine made by hand, to be held up, broken and counted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from modelmint.kit.arrays import AnyArray
from modelmint.serving.call import Call
from modelmint.serving.cpu import WorkClock
from modelmint.serving.lane import Lane
from modelmint.tasks.registry import TASKS
from modelmint.tasks.types import DecisionRule, ModelSpec
from modelmint.testing.pictures import picture

TASK = TASKS.get("image-classification")
SPEC = ModelSpec(
    task=TASK.name,
    settings=TASK.default_settings(image_size=4, channels=1),
    labels=("dark", "bright"),
    decision=DecisionRule(positive="bright", threshold=0.5),
)
#: A brightness on which the engine below breaks.
POISON = 77


class BrightnessEngine:
    """Tells dark from bright, remembers its batches, breaks on ``POISON``, and can be held up (``go_on``)."""

    name = "by hand"

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.running = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.closed = False

    def run(self, batch: AnyArray) -> AnyArray:
        self.running.set()
        if not self.go_on.wait(120):
            raise TimeoutError("held up for too long")
        self.sizes.append(len(batch))
        level = batch.mean(axis=(1, 2, 3))
        if np.isclose(level, POISON / 127.5 - 1, atol=1e-3).any():
            raise RuntimeError("this graph does not like 77")
        return np.stack([-4 * level, 4 * level], axis=1).astype(np.float32)

    def cam(self, batch: AnyArray) -> AnyArray | None:
        return None

    def close(self) -> None:
        self.closed = True


@contextmanager
def lane_of(engine: Any, *, max_batch: int = 8, max_queue: int = 100, clock: Any = None) -> Iterator[Lane]:
    """A lane over ``engine`` that is closed at the end; ``clock`` reads CPU seconds in the place of the real one."""
    lane = Lane(
        spec=SPEC,
        task=TASK,
        engine=engine,
        clock=clock or WorkClock(frozenset(), 1),
        release="r" * 64,
        variant="default",
        use="for tests",
        max_batch=max_batch,
        max_queue=max_queue,
    )
    try:
        yield lane
    finally:
        if not engine.closed:
            lane.close()


def submit(lane: Lane, *levels: int, wanted: Any = None) -> Call:
    """A call with a picture per brightness, taken by ``lane``."""
    call = Call([picture(level) for level in levels], wanted)
    if not lane.submit(call):
        raise RuntimeError("the lane is closed")
    return call
