"""Explanations of answered calls, on a thread of their own beside a lane's runners.

An explanation takes up to a second of engine time, an answer milliseconds. So explained calls wait in a line of
their own, take the engine a few rows at a time and step back in between: a plain call waits for one such chunk.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from modelmint.inference.explain import Explanation
from modelmint.inference.explain.explain import explain_row
from modelmint.inference.types import Engine
from modelmint.kit.arrays import AnyArray
from modelmint.serving.call import Call
from modelmint.serving.cpu import WorkClock
from modelmint.serving.errors import ClientGone, Overloaded, TooManyExplanations
from modelmint.serving.types import Answer
from modelmint.tasks.types import ModelSpec, Prediction, Task

#: Items that one explained call may have: at 49 rows each about as much work as six full plain calls.
MAX_ITEMS = 8
#: Explained calls of one lane that may wait or run at once; each can take seconds.
MAX_CALLS = 16
#: Rows that an explanation runs at one go while others may want the engine.
_CHUNK = 8
#: Seconds between two such goes: a lock that is let go and taken again at once passes nobody in.
_STEP_BACK = 0.0002


def check_explained(items: int) -> None:
    """Raise ``TooManyExplanations`` where one call wants more explanations than it may."""
    if items > MAX_ITEMS:
        raise TooManyExplanations(
            f"expected at most {MAX_ITEMS} inputs in a call that asks for explanations, found {items}; an explanation "
            "takes up to 49 times the work of an answer. Send the rest in further calls, or without explain",
            details={"limit": MAX_ITEMS, "found": items},
        )


@dataclass(frozen=True, slots=True)
class Job:
    """An answered call that waits for its explanations; ``finish`` makes the answer whole."""

    call: Call
    #: Encoded, ``[n, ...]``, and the logits, ``[n, labels]``.
    inputs: AnyArray
    outputs: AnyArray
    predictions: tuple[Prediction, ...]
    finish: Callable[[tuple[Explanation, ...]], Answer]
    broke: Callable[[Call, Exception], None]


class Explainer:
    """The explained calls of one lane. Its thread starts with the first of them."""

    def __init__(
        self, *, engine: Engine, turn: threading.Lock, clock: WorkClock, spec: ModelSpec, task: Task, max_batch: int
    ) -> None:
        self._engine, self._turn, self._clock = engine, turn, clock
        self._spec, self._task = spec, task
        self._chunk = min(_CHUNK, max_batch)
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None
        self._closed = False
        self._open = 0
        self._per_call = 1.0  # wall seconds of one call lately, for Retry-After
        #: CPU seconds spent so far.
        self.cpu = 0.0

    def check(self, items: int) -> None:
        """Raise ``TooManyExplanations`` or ``Overloaded`` where a call would be refused now."""
        check_explained(items)
        if self._open >= MAX_CALLS:
            raise Overloaded(
                f"{self._open} calls wait for explanations, at most {MAX_CALLS} may; try again shortly, or ask without "
                "explain",
                retry_after=min(30.0, max(1.0, self._open * self._per_call)),
            )

    def admit(self, call: Call) -> None:
        """Count ``call`` until it is answered; raises as ``check``."""
        self.check(call.size)
        with self._changed:
            self._open += 1
        call.future.add_done_callback(self._left)

    def take(self, job: Job) -> None:
        """Explain an answered call, then resolve it."""
        with self._changed:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="lane-explain", daemon=True)
                thread.start()  # raises where the system gives no more threads: that call fails, the next tries again
                self._thread = thread
            self._jobs.append(job)
            self._changed.notify()

    def close(self) -> None:
        """Finish what waits. Blocks until done; nothing may be taken afterwards."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _left(self, _: Future[Answer]) -> None:
        with self._changed:
            self._open -= 1

    def _run(self) -> None:
        while (job := self._next()) is not None:
            started = time.perf_counter()
            try:
                self._explain(job)
            except ClientGone as error:
                job.call.fail(error)
            except Exception as error:  # the thread outlives anything one call does to it
                job.broke(job.call, error)
            self._per_call += 0.3 * (time.perf_counter() - started - self._per_call)

    def _next(self) -> Job | None:
        with self._changed:
            while not self._jobs:
                if self._closed:
                    return None
                self._changed.wait()
            return self._jobs.popleft()

    def _explain(self, job: Job) -> None:
        call = job.call
        engine = _SharedEngine(self._engine, self._turn, self._clock, self._chunk, call)
        before = engine.now()
        found = []
        for index, prediction in enumerate(job.predictions):
            plain = call.tensor is not None or call.without_picture
            over = self._size(job.inputs) if plain else call.payloads[index]
            label = self._spec.labels.index(prediction.label)
            row, logits = job.inputs[index], job.outputs[index]
            found.append(explain_row(engine, row, logits, label, self._spec, over=over, cpu=engine.now))
        spent = engine.now() - before
        call.cpu += spent
        self.cpu += spent
        call.future.set_result(job.finish(tuple(found)))

    def _size(self, inputs: AnyArray) -> tuple[int, int]:
        """Width and height of the pictures as they are encoded."""
        height, width = self._task.planes(inputs, self._spec.settings).shape[2:]
        return (width, height)


class _SharedEngine:
    """The lane's engine as one explained call uses it: a few rows at a time, with the runners' turns between."""

    def __init__(self, engine: Engine, turn: threading.Lock, clock: WorkClock, chunk: int, call: Call) -> None:
        self._engine, self._turn, self._clock, self._chunk = engine, turn, clock, chunk
        self._wanted = call.wanted
        self._beyond = 0.0  # CPU seconds of the engine's own threads

    def run(self, batch: AnyArray) -> AnyArray:
        """Logits of a batch of any length; raises ``ClientGone`` as soon as nobody waits for them."""
        parts = range(0, len(batch), self._chunk)
        return np.concatenate([self._part(batch[at : at + self._chunk]) for at in parts])

    def cam(self, batch: AnyArray) -> AnyArray | None:
        """Class-activation maps of a few rows; None where the graph has none."""
        return self._turn_of(self._engine.cam, batch)

    def now(self) -> float:
        """CPU seconds of this thread and, for its rows, of the engine's threads."""
        return time.thread_time() + self._beyond

    def _part(self, rows: AnyArray) -> AnyArray:
        outputs = self._turn_of(self._engine.run, rows)
        assert outputs is not None  # noqa: S101 - only maps may be missing; tells mypy so
        return outputs

    def _turn_of(self, work: Callable[[AnyArray], AnyArray | None], rows: AnyArray) -> AnyArray | None:
        if self._wanted is not None and not self._wanted():
            raise ClientGone("the caller hung up before the explanation was ready")
        time.sleep(_STEP_BACK)
        with self._turn:
            own, all_ = time.thread_time(), self._clock.now()
            outputs = work(rows)
            self._beyond += (self._clock.now() - all_) - (time.thread_time() - own)
        return outputs
